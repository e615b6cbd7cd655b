import { useState } from 'react';
import { Button, Checkbox } from 'react-aria-components';

import { useAnnounce } from './announce';

// RecoveryCodes shows codes that are never shown again, until the person says
// that they are saved.
export function RecoveryCodes({ codes, onSaved }: { codes: string[]; onSaved: () => void }) {
  const [saved, setSaved] = useState(false);
  const announce = useAnnounce();
  const text = `Recovery codes for Paddock. Each works once.\n\n${codes.join('\n')}\n`;
  const copy = () => navigator.clipboard.writeText(text).then(
    () => announce('The codes were copied.'),
    () => announce('The browser does not let the console copy. Download the codes, or write them down.'),
  );
  return (
    <section aria-labelledby="recovery-heading">
      <h2 id="recovery-heading">Save your recovery codes</h2>
      <p>With one of these you can sign in and set up a new method when your device is lost. They are shown now and never again.</p>
      <ol className="codes" aria-label="Recovery codes">
        {codes.map((code) => <li key={code}><code>{code}</code></li>)}
      </ol>
      <div className="actions">
        <Button onPress={copy}>Copy</Button>
        <Button onPress={() => download('paddock-recovery-codes.txt', text)}>Download</Button>
      </div>
      <Checkbox isSelected={saved} onChange={setSaved}><span className="box" aria-hidden="true" />I saved these codes</Checkbox>
      <div className="actions">
        <Button className="primary" isDisabled={!saved} onPress={onSaved}>Continue</Button>
      </div>
    </section>
  );
}

function download(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
