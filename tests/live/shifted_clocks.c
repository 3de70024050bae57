/* Clocks that are what the kernel says and an offset that may change at any moment.
 *
 * The file that $SHIFTED_CLOCKS names has two signed 64-bit numbers, in nanoseconds: what is added to the time of day,
 * and what is added to the monotonic clocks. Waits until a moment have the offset taken off again: the kernel knows
 * nothing of it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { TIME_OF_DAY, MONOTONIC, CLOCKS };

static const volatile int64_t none[CLOCKS];
static const volatile int64_t *offsets = none;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("SHIFTED_CLOCKS");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *mapped = mmap(NULL, sizeof none, PROT_READ, MAP_SHARED, file, 0);
  if (mapped != MAP_FAILED) offsets = mapped;
  close(file);
}

static int64_t offset_of(clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
      return offsets[TIME_OF_DAY];
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
      return offsets[MONOTONIC];
    default:
      return 0;
  }
}

static struct timespec plus(struct timespec moment, int64_t nanoseconds) {
  int64_t all = moment.tv_sec * INT64_C(1000000000) + moment.tv_nsec + nanoseconds;
  if (all < 0) all = 0;
  return (struct timespec){.tv_sec = all / 1000000000, .tv_nsec = all % 1000000000};
}

/* A moment of which the clock is not told: seconds since 1970 are many more than since any start. */
static struct timespec by_the_kernel(const struct timespec *moment) {
  return plus(*moment, -offset_of(moment->tv_sec > 500000000 ? CLOCK_REALTIME : CLOCK_MONOTONIC));
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int clock_gettime(clockid_t clock, struct timespec *now) {
  static __typeof__(&clock_gettime) real;
  if (!real) real = REAL(clock_gettime);
  int status = real(clock, now);
  if (status == 0) *now = plus(*now, offset_of(clock));
  return status;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  (void)zone;
  struct timespec moment;
  int status = clock_gettime(CLOCK_REALTIME, &moment);
  *now = (struct timeval){.tv_sec = moment.tv_sec, .tv_usec = moment.tv_nsec / 1000};
  return status;
}

time_t time(time_t *now) {
  struct timespec moment;
  clock_gettime(CLOCK_REALTIME, &moment);
  if (now) *now = moment.tv_sec;
  return moment.tv_sec;
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until) {
  static __typeof__(&pthread_cond_timedwait) real;
  if (!real) real = (__typeof__(&pthread_cond_timedwait))dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
  if (!real) real = REAL(pthread_cond_timedwait);
  struct timespec kernels = by_the_kernel(until);
  return real(condition, mutex, &kernels);
}

int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                           const struct timespec *until) {
  static __typeof__(&pthread_cond_clockwait) real;
  if (!real) real = REAL(pthread_cond_clockwait);
  struct timespec kernels = plus(*until, -offset_of(clock));
  return real(condition, mutex, clock, &kernels);
}

int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *until) {
  static __typeof__(&sem_clockwait) real;
  if (!real) real = REAL(sem_clockwait);
  struct timespec kernels = plus(*until, -offset_of(clock));
  return real(semaphore, clock, &kernels);
}

int sem_timedwait(sem_t *semaphore, const struct timespec *until) {
  static __typeof__(&sem_timedwait) real;
  if (!real) real = REAL(sem_timedwait);
  struct timespec kernels = plus(*until, -offset_of(CLOCK_REALTIME));
  return real(semaphore, &kernels);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted, struct timespec *left) {
  static __typeof__(&clock_nanosleep) real;
  if (!real) real = REAL(clock_nanosleep);
  struct timespec kernels = flags & TIMER_ABSTIME ? plus(*wanted, -offset_of(clock)) : *wanted;
  return real(clock, flags, &kernels, left);
}
