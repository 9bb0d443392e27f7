//! Disk: how folders are made, and what makes names last. A file that was forced to disk is lost
//! all the same when a power cut takes the name of it, or of one of the folders on the way to it.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

/// Makes the folder with this mode, whatever the umask; one that is there stays as it is.
///
/// # Errors
/// It cannot be made, or its mode cannot be set.
pub fn make_dir(dir: &Path, mode: u32) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(mode).create(dir)?;
    fs::set_permissions(dir, Permissions::from_mode(mode))
}

/// The nearest of `path` and the folders that lead to it that can be looked at, and the user that
/// it belongs to: `root` or `user 1000`.
pub fn owner_of(path: &Path) -> Option<(&Path, String)> {
    path.ancestors().find_map(|place| {
        let owner = match fs::metadata(place).ok()?.uid() {
            0 => "root".to_owned(),
            id => format!("user {id}"),
        };
        Some((place, owner))
    })
}

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
