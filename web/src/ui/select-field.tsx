import { useId } from 'react';

// SelectField takes one of a few values, in little room.
export function SelectField({ name, label, choices, defaultValue = '' }: {
  name: string; label: string; choices: { value: string; label: string }[]; defaultValue?: string;
}) {
  const id = useId();
  return (
    <div className="select">
      <label htmlFor={id}>{label}</label>
      <select id={id} name={name} defaultValue={defaultValue}>
        {choices.map((c) => <option key={c.value} value={c.value}>{c.label}</option>)}
      </select>
    </div>
  );
}
