/* A disk that nothing is forced to: the same files, the same writes, and no wait for them. That it
 * was loaded shows in the file that UNFORCED names. */

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int unforced(void) {
    const char *mark = getenv("UNFORCED");
    if (mark) {
        int file = open(mark, O_WRONLY | O_CREAT, 0600);
        if (file >= 0) {
            close(file);
            unsetenv("UNFORCED");
        }
    }
    return 0;
}

int fsync(int file) {
    (void)file;
    return unforced();
}

int fdatasync(int file) {
    (void)file;
    return unforced();
}
