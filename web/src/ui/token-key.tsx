import { useState } from 'react';
import { Button, Checkbox } from 'react-aria-components';

import type { MadeToken } from '../api/tokens';
import { exportOf } from '../tokens';
import { Copied } from './copy';

// TokenKey shows the key of a token, which is never shown again, until the
// person says that it is saved.
export function TokenKey({ of: t, onSaved }: { of: MadeToken; onSaved: () => void }) {
  const [saved, setSaved] = useState(false);
  return (
    <section aria-labelledby="key-heading">
      <h2 id="key-heading">Save the key of {t.name}</h2>
      <p>It is shown now and never again. Whoever has it acts as you, as far as the token goes: give it to nobody, and keep it out of code and of addresses.</p>
      <Copied text={t.key} label="Copy the key" what="The key" />
      <p>For the command line:</p>
      <Copied text={exportOf(t.key)} label="Copy the line" what="The line" />
      <Checkbox isSelected={saved} onChange={setSaved}><span className="box" aria-hidden="true" />I saved this key</Checkbox>
      <div className="actions">
        <Button className="primary" isDisabled={!saved} onPress={onSaved}>Continue</Button>
      </div>
    </section>
  );
}
