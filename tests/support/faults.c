/* Faults of disks for a program that is started with this library before others (LD_PRELOAD).
 *
 * Each call that changes something below a folder is counted: open for writing, write, pwrite, rename, link, unlink,
 * rmdir, mkdir, truncate, fsync. At the call of a given number something goes wrong, for good or for some calls:
 *   FULL       ENOSPC for what takes room, for so many calls           SHORT  half of a write, then as FULL
 *   READ_ONLY  EROFS for every call from then on                       GONE   ENOENT for every call from then on
 *   BAD        EIO for this call alone                 BREAK  EINTR for this call alone, where POSIX has it
 *   SLOW       this call takes a second and a half                     KILL   the process ends: before, in or after it
 * From Python: ctypes.CDLL(None).faults_arm(number, mode, calls, folder) and faults_count().
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NONE, FULL, SHORT, READ_ONLY, GONE, BAD, BREAK, SLOW, KILL_BEFORE, KILL_HALF, KILL_AFTER };
enum { FREE, TAKES_ROOM }; /* what a call does to the room on the disk */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long number = -1, calls = 0, seen = 0;
static int mode = NONE;
static char folder[4096] = "";

void faults_arm(long at, int what, long many, const char *below) {
  pthread_mutex_lock(&lock);
  number = at, mode = what, calls = many, seen = 0;
  snprintf(folder, sizeof folder, "%s", below);
  pthread_mutex_unlock(&lock);
}
long faults_count(void) { return seen; }

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

static int below(const char *path) {
  char whole[8192];
  if (!folder[0] || !path) return 0;
  if (path[0] != '/') {
    char here[4096];
    if (!getcwd(here, sizeof here)) return 0;
    snprintf(whole, sizeof whole, "%s/%s", here, path);
    path = whole;
  }
  size_t n = strlen(folder);
  return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == 0);
}

static int handle_below(int fd) {
  char link[64], path[4096];
  if (!folder[0] || fd <= 2) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0) return 0;
  path[n] = 0;
  return below(path);
}

static void end(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* What happens to this call: an errno, 0 for nothing; *half: only half of a write is done; *last: it ends afterwards */
static int fate(int room, int *half, int *last) {
  pthread_mutex_lock(&lock);
  long now = ++seen - number;
  pthread_mutex_unlock(&lock);
  *half = *last = 0;
  if (number < 0 || now < 0) return 0;
  switch (mode) {
    case FULL: return room && now < calls ? ENOSPC : 0;
    case SHORT:
      *half = now == 0;
      return now > 0 && room && now < calls ? ENOSPC : 0;
    case READ_ONLY: return EROFS;
    case GONE: return ENOENT;
    case BAD: return now == 0 ? EIO : 0;
    case BREAK: return now == 0 ? EINTR : 0;
    case SLOW:
      if (now == 0) usleep(1500000);
      return 0;
    case KILL_BEFORE:
      if (now == 0) end();
      return 0;
    case KILL_HALF:
      *half = *last = now == 0;
      return 0;
    case KILL_AFTER: *last = now == 0; return 0;
  }
  return 0;
}

#define TRY(is_below, room, type, call)             \
  do {                                              \
    int half, last, why;                            \
    if (!(is_below)) return call;                   \
    if ((why = fate(room, &half, &last))) {         \
      errno = why;                                  \
      return (type)-1;                              \
    }                                               \
    type result = call;                             \
    if (last) end();                                \
    return result;                                  \
  } while (0)

#define WRITES(name, arguments, whole, part)        \
  ssize_t name arguments {                          \
    static ssize_t(*f) arguments;                   \
    int half, last, why;                            \
    if (!f) f = real(#name);                        \
    if (!handle_below(fd)) return whole;            \
    if ((why = fate(TAKES_ROOM, &half, &last))) {   \
      errno = why;                                  \
      return -1;                                    \
    }                                               \
    ssize_t result = half && n > 1 ? part : whole;  \
    if (last) end();                                \
    return result;                                  \
  }
WRITES(write, (int fd, const void *b, size_t n), f(fd, b, n), f(fd, b, n / 2))
WRITES(pwrite, (int fd, const void *b, size_t n, off_t o), f(fd, b, n, o), f(fd, b, n / 2, o))
WRITES(pwrite64, (int fd, const void *b, size_t n, off64_t o), f(fd, b, n, o), f(fd, b, n / 2, o))

#define OPENS(name)                                                                                       \
  int name(const char *path, int flags, ...) {                                                            \
    static int (*f)(const char *, int, ...);                                                              \
    mode_t rights = 0;                                                                                    \
    if (!f) f = real(#name);                                                                              \
    if (flags & O_CREAT) {                                                                                \
      va_list more;                                                                                       \
      va_start(more, flags);                                                                              \
      rights = va_arg(more, mode_t);                                                                      \
      va_end(more);                                                                                       \
    }                                                                                                     \
    TRY((flags & (O_WRONLY | O_RDWR | O_CREAT)) && below(path), flags & O_CREAT ? TAKES_ROOM : FREE, int, \
        f(path, flags, rights));                                                                          \
  }
OPENS(open)
OPENS(open64)

#define PATHS(name, arguments, given, path, room)   \
  int name arguments {                              \
    static int(*f) arguments;                       \
    if (!f) f = real(#name);                        \
    TRY(below(path) && mode != BREAK, room, int, f given); \
  }
PATHS(rename, (const char *a, const char *b), (a, b), b, FREE)
PATHS(link, (const char *a, const char *b), (a, b), b, TAKES_ROOM)
PATHS(unlink, (const char *a), (a), a, FREE)
PATHS(rmdir, (const char *a), (a), a, FREE)
PATHS(mkdir, (const char *a, mode_t m), (a, m), a, TAKES_ROOM)
PATHS(truncate, (const char *a, off_t n), (a, n), a, FREE)
PATHS(truncate64, (const char *a, off64_t n), (a, n), a, FREE)

#define HANDLES(name, arguments, given)             \
  int name arguments {                              \
    static int(*f) arguments;                       \
    if (!f) f = real(#name);                        \
    TRY(handle_below(fd), FREE, int, f given);      \
  }
HANDLES(ftruncate, (int fd, off_t n), (fd, n))
HANDLES(ftruncate64, (int fd, off64_t n), (fd, n))
HANDLES(fsync, (int fd), (fd))
HANDLES(fdatasync, (int fd), (fd))

/* The ways that the system has beside these, by which modern libraries do the same */
int linkat(int from, const char *a, int to, const char *b, int flags) {
  static int (*f)(int, const char *, int, const char *, int);
  if (!f) f = real("linkat");
  TRY(to == AT_FDCWD && below(b), TAKES_ROOM, int, f(from, a, to, b, flags));
}
int unlinkat(int at, const char *a, int flags) {
  static int (*f)(int, const char *, int);
  if (!f) f = real("unlinkat");
  TRY(at == AT_FDCWD ? below(a) : handle_below(at), FREE, int, f(at, a, flags));
}
