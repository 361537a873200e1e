/** Why the system refused a file or a socket, in words. */

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of its path is no directory',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left',
  ECONNREFUSED: 'nobody listens there',
  EADDRINUSE: 'the path is in use',
  ENAMETOOLONG: 'the path is too long',
  EINVAL: 'the path is too long or cannot be used',
};

/** The reason of a failed call, without codes and names of system calls where it is a known one. */
export function reasonOf(cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? (cause instanceof Error ? cause.message : String(cause));
}
