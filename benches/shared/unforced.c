/* A disk that nothing is forced to: the same files, the same writes, and no wait for them. That it
 * was loaded shows in the file that UNFORCED names. */

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((constructor)) static void loaded(void) {
    const char *mark = getenv("UNFORCED");
    if (mark)
        close(open(mark, O_WRONLY | O_CREAT, 0600));
}

int fsync(int file) {
    (void)file;
    return 0;
}

int fdatasync(int file) {
    (void)file;
    return 0;
}
