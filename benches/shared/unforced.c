/* A disk that nothing is forced to: the same files, the same writes, and no wait for them. */

int fsync(int file) {
    (void)file;
    return 0;
}

int fdatasync(int file) {
    (void)file;
    return 0;
}
