/** The app's mark, drawn as in `assets/icon.svg` but in the colour of the text around it. */
export function Mark({ className = '' }: { className?: string }) {
  return (
    <svg
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      aria-hidden="true"
      className={`shrink-0 ${className}`}
    >
      <circle cx="12" cy="4.25" r="2.25" />
      <path d="M12 6.5V21M3.5 12.5a8.5 8.5 0 0 0 17 0M7.75 12.5a4.25 4.25 0 0 0 8.5 0" />
    </svg>
  );
}
