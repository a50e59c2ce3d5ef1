/*
 * Preloaded into PostgreSQL: a call that waits for the disk takes longer by the nanoseconds in the file that
 * MUSTER_SLOW_SYNC names.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

static const volatile int64_t *delay;
static int (*fsync_of_library)(int);
static int (*fdatasync_of_library)(int);

__attribute__((constructor)) static void load(void) {
  fsync_of_library = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  fdatasync_of_library = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  const char *path = getenv("MUSTER_SLOW_SYNC");
  int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void *page = mmap(NULL, sizeof *delay, PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (page != MAP_FAILED) delay = page;
}

/* Signals do not shorten it: a disk does not know them. */
static void wait_for_disk(void) {
  int64_t left = delay == NULL ? 0 : *delay;
  struct timespec time = {.tv_sec = left / SECOND, .tv_nsec = left % SECOND};
  while (left > 0 && nanosleep(&time, &time) != 0);
}

int fsync(int file) {
  wait_for_disk();
  return fsync_of_library(file);
}

int fdatasync(int file) {
  wait_for_disk();
  return fdatasync_of_library(file);
}
