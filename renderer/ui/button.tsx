import type { ComponentProps, ReactNode } from 'react';

const TONES = {
  primary: 'bg-live text-on-live enabled:hover:bg-live-strong disabled:bg-wash disabled:text-faint',
  outline: 'border border-edge text-ink enabled:hover:bg-wash disabled:opacity-50',
  quiet: 'text-soft enabled:hover:bg-wash enabled:hover:text-ink disabled:opacity-50',
  danger: 'border border-need text-need enabled:hover:bg-need-wash disabled:opacity-50',
} as const;

const SIZES = {
  normal: 'h-8 gap-2 px-3 text-ui',
  small: 'h-7 gap-1.5 px-2.5 text-ui',
  tiny: 'h-6 gap-1 px-2 text-note',
} as const;

type ButtonProps = ComponentProps<'button'> & {
  readonly tone?: keyof typeof TONES;
  readonly size?: keyof typeof SIZES;
};

export function Button({ tone = 'outline', size = 'normal', className = '', type = 'button', ...rest }: ButtonProps) {
  return (
    <button
      type={type}
      className={`inline-flex shrink-0 items-center justify-center rounded-md font-medium whitespace-nowrap transition-colors ${SIZES[size]} ${TONES[tone]} ${className}`}
      {...rest}
    />
  );
}

const ICON_SIZES = { normal: 'size-8', small: 'size-7' } as const;

type IconButtonProps = ComponentProps<'button'> & {
  readonly label: string;
  readonly size?: keyof typeof ICON_SIZES;
  readonly children: ReactNode;
};

/** A button that shows a glyph alone; `label` is its name and its tooltip. */
export function IconButton({ label, size = 'normal', className = '', type = 'button', ...rest }: IconButtonProps) {
  return (
    <button
      type={type}
      aria-label={label}
      title={label}
      className={`inline-flex shrink-0 items-center justify-center rounded-md text-faint transition-colors hover:bg-wash hover:text-ink ${ICON_SIZES[size]} ${className}`}
      {...rest}
    />
  );
}
