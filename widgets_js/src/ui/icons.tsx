// Line icons of 16 px, in the color of the text around them.
import type { ComponentChildren } from "preact";

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg class="penstock-line-icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      {children}
    </svg>
  );
}

export function UndoIcon() {
  return (
    <Icon>
      <path d="M6 3 3 6l3 3M3.2 6H10a3.5 3.5 0 0 1 0 7H7.5" />
    </Icon>
  );
}

export function RedoIcon() {
  return (
    <Icon>
      <path d="m10 3 3 3-3 3M12.8 6H6a3.5 3.5 0 0 0 0 7h2.5" />
    </Icon>
  );
}

export function CloseIcon() {
  return (
    <Icon>
      <path d="m4 4 8 8M12 4l-8 8" />
    </Icon>
  );
}
