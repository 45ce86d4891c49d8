import { useSelect } from '../store/context.tsx';
import { ExportDialog } from './export-dialog.tsx';
import { ImportDialog } from './import-dialog.tsx';

/** The dialog of what is on its way out or in, if there is one. */
export function Transfer() {
  const transfer = useSelect((state) => state.transfer);
  switch (transfer?.kind) {
    case 'export':
      return <ExportDialog session={transfer.session} />;
    case 'import':
      return <ImportDialog />;
    case undefined:
      return null;
  }
}
