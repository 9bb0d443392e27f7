//! Disk: what makes names last. A file that was forced to disk is lost all the same when a power
//! cut takes the name of it, or of one of the folders on the way to it.

use std::fs::File;
use std::io;
use std::path::Path;

/// Forces the names in `dir` to disk.
///
/// # Errors
/// The folder cannot be opened or forced.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Forces the names in `dir`, and the names of the folders that lead to it, to disk: any of them
/// may be new, made by us or by a run that was killed before it came to this.
///
/// # Errors
/// A folder cannot be forced. One that may not be opened is not ours, and older than us.
pub fn sync_road(dir: &Path) -> io::Result<()> {
    for folder in dir.ancestors() {
        let here = folder.as_os_str().is_empty();
        match sync_dir(if here { Path::new(".") } else { folder }) {
            Err(why) if folder != dir && why.kind() == io::ErrorKind::PermissionDenied => {}
            done => done?,
        }
    }
    Ok(())
}
