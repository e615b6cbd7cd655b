import { accesses } from '../groups';
import { ListField } from './fields';

// AccessField takes what is opened on servers.
export function AccessField({ value, onChange }: { value: string[]; onChange: (value: string[]) => void }) {
  return <ListField name="permissions" label="What is opened" choices={accesses} value={value} onChange={onChange} />;
}

export const endHint = 'In the time of this device. Empty: it does not end.';
