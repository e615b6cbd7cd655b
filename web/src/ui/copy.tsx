import { Button } from 'react-aria-components';

import { useAnnounce } from './announce';

// Copied is a text to copy, with a button that does. A secret is no part of the
// button's name.
export function Copied({ text, label, what }: { text: string; label: string; what: string }) {
  const announce = useAnnounce();
  const copy = () => navigator.clipboard.writeText(text).then(
    () => announce(`${what} was copied.`),
    () => announce('The browser does not let the console copy. Select the text and copy it.'),
  );
  return (
    <div className="copied">
      <pre className="scroll" tabIndex={0} role="group" aria-label={what}>{text}</pre>
      <Button onPress={copy}>{label}</Button>
    </div>
  );
}
