import type { SourceFile } from '../models/source-file.ts';

/** An uploaded file. Where it lies is nobody's business but the hub's. */
export function presentSourceFile(file: SourceFile) {
  return {
    id: file.id,
    name: file.name,
    size: file.size,
    sha256: file.sha256,
    createdBy: file.createdBy,
    createdAt: file.createdAt.toISOString(),
  };
}
