import { focusable } from "./focus.ts";
import { useUniqueId } from "./unique-id.ts";

interface Option<T extends string> {
  value: T;
  label: string;
  title?: string;
  disabled?: boolean;
}

interface Props<T extends string> {
  label: string;
  options: readonly Option<T>[];
  value: T;
  disabled?: boolean;
  testid?: string;
  onChange: (value: T) => void;
}

/** A segmented switch: one of a few, by pointer or arrow keys. */
export function Switch<T extends string>({ label, options, value, disabled, testid, onChange }: Props<T>) {
  const name = useUniqueId("switch");
  return (
    <fieldset class="penstock-switch" aria-label={label} data-testid={testid} data-value={value}>
      {options.map((option) => (
        <label key={option.value} title={option.title}>
          <input
            {...focusable}
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            disabled={(disabled ?? false) || (option.disabled ?? false)}
            onChange={() => onChange(option.value)}
          />
          {option.label}
        </label>
      ))}
    </fieldset>
  );
}
