/* Counts what changes files below one folder, and at the n-th change kills the process or fails the call.

   Preloaded into a child process, off until fault_arm() is called there. A write is cut in half. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OFF, COUNT, KILL, FULL, BROKEN };
enum { PASS, FAIL, HALF };
#define MANY 65536

static char root[PATH_MAX];
static size_t root_size;
static int mode = OFF, journal = -1;
static long target;
static atomic_long count, syncs;
static char *files[MANY];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

void fault_arm(const char *folder, int how, long at, int told) {
    snprintf(root, sizeof root, "%s", folder);
    root_size = strlen(root);
    target = at;
    journal = told;
    atomic_store(&count, 0);
    atomic_store(&syncs, 0);
    mode = how;
}

long fault_disarm(void) {
    mode = OFF;
    return atomic_load(&count);
}

long fault_syncs(void) { return atomic_load(&syncs); }

static int below(const char *path) {
    return mode != OFF && !strncmp(path, root, root_size) && (path[root_size] == '/' || !path[root_size]);
}

static const char *whole(int folder, const char *path, char *room) {
    if (path[0] == '/') return path;
    char link[64];
    ssize_t size;
    if (folder == AT_FDCWD) size = getcwd(room, PATH_MAX - 2) ? (ssize_t)strlen(room) : -1;
    else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        size = readlink(link, room, PATH_MAX - 2);
    }
    if (size < 0) return path;
    room[size] = '/';
    snprintf(room + size + 1, PATH_MAX - size - 1, "%s", path);
    return room;
}

static void tell(char what, const char *path, const char *other) {
    if (journal < 0) return;
    char line[2 * PATH_MAX + 8];
    int size = snprintf(line, sizeof line, "%c\t%s\t%s\n", what, path, other ? other : "");
    syscall(SYS_write, journal, line, size);
}

/* Keep what a name is about to lose under another name, beside the folder: a power cut may bring it back. */
static const char *kept(const char *path, char *room) {
    static atomic_long number;
    if (journal < 0) return NULL;
    snprintf(room, PATH_MAX, "%s.gone.%ld", root, atomic_fetch_add(&number, 1) + 1);
    if (syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, room, 0)) return NULL;
    return room;
}

/* What becomes of this change; a process to be killed does not come back, except from a write, to write its half. */
static int judge(int writes, int takes_space) {
    long number = atomic_fetch_add(&count, 1) + 1;
    if (mode == KILL && number == target) {
        if (writes) return HALF;
        raise(SIGKILL);
    }
    if (mode == FULL && number >= target && takes_space) {
        if (writes && number == target) return HALF;
        errno = ENOSPC;
        return FAIL;
    }
    if (mode == BROKEN && number == target) {
        errno = EIO;
        return FAIL;
    }
    return PASS;
}

static void watch(int fd, const char *path) {
    if (fd < 0 || fd >= MANY) return;
    pthread_mutex_lock(&lock);
    free(files[fd]);
    files[fd] = path ? strdup(path) : NULL;
    pthread_mutex_unlock(&lock);
}

static int watched(int fd, char *room) {
    if (mode == OFF || fd < 0 || fd >= MANY || !files[fd]) return 0;
    pthread_mutex_lock(&lock);
    int known = files[fd] != NULL;
    if (known) snprintf(room, PATH_MAX, "%s", files[fd]);
    pthread_mutex_unlock(&lock);
    return known;
}

static int opened(int folder, const char *path, int flags, mode_t rights) {
    REAL(int, "openat", int, const char *, int, ...);
    char room[PATH_MAX];
    if (mode == OFF || !(flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC))) return real(folder, path, flags, rights);
    const char *name = whole(folder, path, room);
    if (!below(name)) return real(folder, path, flags, rights);
    struct stat before;
    int there = !stat(name, &before);
    if (judge(0, !there || (flags & O_TRUNC)) == FAIL) return -1;
    int fd = real(folder, path, flags, rights);
    if (fd >= 0) {
        if (!there) tell('O', name, NULL);
        else if (flags & O_TRUNC) tell('W', name, NULL);
        watch(fd, name);
    }
    return fd;
}

#define OPEN(name, first, folder) \
    int name(first const char *path, int flags, ...) { \
        mode_t rights = 0; \
        if (flags & (O_CREAT | O_TMPFILE)) { \
            va_list list; \
            va_start(list, flags); \
            rights = va_arg(list, mode_t); \
            va_end(list); \
        } \
        return opened(folder, path, flags, rights); \
    }
#define NOTHING
OPEN(open, NOTHING, AT_FDCWD)
OPEN(open64, NOTHING, AT_FDCWD)
#define FOLDER int folder,
OPEN(openat, FOLDER, folder)
OPEN(openat64, FOLDER, folder)

int creat(const char *path, mode_t rights) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, rights); }
int creat64(const char *path, mode_t rights) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, rights); }

FILE *fopen(const char *path, const char *how) {
    REAL(FILE *, "fopen", const char *, const char *);
    char room[PATH_MAX];
    const char *name = mode == OFF ? path : whole(AT_FDCWD, path, room);
    if (mode == OFF || (how[0] == 'r' && !strchr(how, '+')) || !below(name)) return real(path, how);
    if (judge(0, 1) == FAIL) return NULL;
    FILE *stream = real(path, how);
    if (stream) tell('O', name, NULL), watch(fileno(stream), name);
    return stream;
}

int close(int fd) {
    REAL(int, "close", int);
    if (fd >= 0 && fd < MANY && files[fd]) watch(fd, NULL);
    return real(fd);
}

int dup2(int from, int to) {
    REAL(int, "dup2", int, int);
    if (to >= 0 && to < MANY && files[to]) watch(to, NULL);
    return real(from, to);
}

/* A write that is killed or out of space puts half of its bytes there first. */
#define WRITE(result, name, parameters, rest, size, half) \
    result name parameters { \
        static result(*real) parameters; \
        if (!real) real = (result(*) parameters)dlsym(RTLD_NEXT, #name); \
        char room[PATH_MAX]; \
        if (!watched(fd, room)) return real rest; \
        tell('W', room, NULL); \
        int said = judge(1, 1); \
        if (said == FAIL) return -1; \
        if (said == HALF) { \
            result done = 0; \
            if ((size) > 1) done = half; \
            if (mode == KILL) raise(SIGKILL); \
            if (done > 0) return done; \
            errno = ENOSPC; \
            return -1; \
        } \
        return real rest; \
    }
#define ONE iovs > 0 ? vector[0].iov_len : 0
WRITE(ssize_t, write, (int fd, const void *bytes, size_t size), (fd, bytes, size), size, real(fd, bytes, size / 2))
WRITE(ssize_t, pwrite, (int fd, const void *bytes, size_t size, off_t at), (fd, bytes, size, at), size, real(fd, bytes, size / 2, at))
WRITE(ssize_t, pwrite64, (int fd, const void *bytes, size_t size, off64_t at), (fd, bytes, size, at), size, real(fd, bytes, size / 2, at))
WRITE(ssize_t, writev, (int fd, const struct iovec *vector, int iovs), (fd, vector, iovs), ONE, write(fd, vector[0].iov_base, vector[0].iov_len / 2))
WRITE(ssize_t, pwritev, (int fd, const struct iovec *vector, int iovs, off_t at), (fd, vector, iovs, at), ONE, pwrite(fd, vector[0].iov_base, vector[0].iov_len / 2, at))
WRITE(int, ftruncate, (int fd, off_t size), (fd, size), 0, 0)
WRITE(int, ftruncate64, (int fd, off64_t size), (fd, size), 0, 0)
WRITE(int, fallocate, (int fd, int how, off_t at, off_t size), (fd, how, at, size), 0, 0)
WRITE(int, posix_fallocate, (int fd, off_t at, off_t size), (fd, at, size), 0, 0)

ssize_t copy_file_range(int in, off64_t *from, int fd, off64_t *to, size_t size, unsigned flags) {
    REAL(ssize_t, "copy_file_range", int, off64_t *, int, off64_t *, size_t, unsigned);
    char room[PATH_MAX];
    if (!watched(fd, room)) return real(in, from, fd, to, size, flags);
    tell('W', room, NULL);
    int said = judge(1, 1);
    if (said == FAIL) return -1;
    if (said == HALF) {
        if (mode == KILL) real(in, from, fd, to, size / 2, flags), raise(SIGKILL);
        errno = ENOSPC;
        return -1;
    }
    return real(in, from, fd, to, size, flags);
}

ssize_t sendfile(int fd, int in, off_t *from, size_t size) {
    REAL(ssize_t, "sendfile", int, int, off_t *, size_t);
    char room[PATH_MAX];
    if (!watched(fd, room)) return real(fd, in, from, size);
    tell('W', room, NULL);
    if (judge(0, 1) == FAIL) return -1;
    return real(fd, in, from, size);
}

static int synced(int fd, const char *name) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    char link[64], room[PATH_MAX];
    if (mode == OFF) return real(fd);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, room, sizeof room - 1);
    if (size < 0) return real(fd);
    room[size] = 0;
    if (!below(room)) return real(fd);
    atomic_fetch_add(&syncs, 1);
    if (mode != KILL && judge(0, 1) == FAIL) return -1; /* a kill before or after a sync is the same */
    int done = real(fd);
    if (!done) tell('S', room, NULL);
    return done;
}
int fsync(int fd) { return synced(fd, "fsync"); }
int fdatasync(int fd) { return synced(fd, "fdatasync"); }
int syncfs(int fd) { return synced(fd, "syncfs"); }

/* One name changes. */
#define NAME(name, parameters, rest, folder, path, letter, space) \
    int name parameters { \
        static int(*real) parameters; \
        if (!real) real = (int (*) parameters)dlsym(RTLD_NEXT, #name); \
        char room[PATH_MAX]; \
        if (mode == OFF) return real rest; \
        const char *where = whole(folder, path, room); \
        if (!below(where)) return real rest; \
        if (judge(0, space) == FAIL) return -1; \
        char gone[PATH_MAX]; \
        const char *left = letter == 'U' ? kept(where, gone) : NULL; \
        int done = real rest; \
        if (!done) tell(letter, where, left); \
        return done; \
    }
NAME(unlink, (const char *path), (path), AT_FDCWD, path, 'U', 0)
NAME(unlinkat, (int folder, const char *path, int flags), (folder, path, flags), folder, path, flags & AT_REMOVEDIR ? 'D' : 'U', 0)
NAME(remove, (const char *path), (path), AT_FDCWD, path, 'U', 0)
NAME(rmdir, (const char *path), (path), AT_FDCWD, path, 'D', 0)
NAME(mkdir, (const char *path, mode_t rights), (path, rights), AT_FDCWD, path, 'M', 1)
NAME(mkdirat, (int folder, const char *path, mode_t rights), (folder, path, rights), folder, path, 'M', 1)
NAME(symlink, (const char *to, const char *path), (to, path), AT_FDCWD, path, 'O', 1)
NAME(truncate, (const char *path, off_t size), (path, size), AT_FDCWD, path, 'W', 1)

/* A name moves, or another is given. */
#define MOVE(name, parameters, rest, one, from, two, to, letter) \
    int name parameters { \
        static int(*real) parameters; \
        if (!real) real = (int (*) parameters)dlsym(RTLD_NEXT, #name); \
        char room[PATH_MAX], other[PATH_MAX]; \
        if (mode == OFF) return real rest; \
        const char *before = whole(one, from, room), *after = whole(two, to, other); \
        if (!below(before) && !below(after)) return real rest; \
        if (judge(0, 1) == FAIL) return -1; \
        char gone[PATH_MAX]; \
        const char *left = letter == 'R' ? kept(after, gone) : NULL; \
        if (left) tell('K', after, left); \
        int done = real rest; \
        if (!done) tell(letter, before, after); \
        return done; \
    }
MOVE(rename, (const char *a, const char *b), (a, b), AT_FDCWD, a, AT_FDCWD, b, 'R')
MOVE(renameat, (int x, const char *a, int y, const char *b), (x, a, y, b), x, a, y, b, 'R')
MOVE(renameat2, (int x, const char *a, int y, const char *b, unsigned f), (x, a, y, b, f), x, a, y, b, 'R')
MOVE(link, (const char *a, const char *b), (a, b), AT_FDCWD, a, AT_FDCWD, b, 'L')
MOVE(linkat, (int x, const char *a, int y, const char *b, int f), (x, a, y, b, f), x, a, y, b, 'L')
