//! Writing a new folder of files, all or nothing as far as it can be known beforehand.

use anyhow::{Context, bail};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes files into a folder, making it and what is between. Nothing is ever written over.
///
/// # Errors
/// When one of the files is there already (then none is written), or the disk fails.
pub fn write_new(folder: &Path, files: &[(PathBuf, String)]) -> anyhow::Result<()> {
    if let Some((there, _)) = files.iter().find(|(path, _)| folder.join(path).exists()) {
        bail!(
            "{} is there already and is not written over; choose another name",
            folder.join(there).display()
        );
    }
    for (path, text) in files {
        let path = folder.join(path);
        let name = path.display();
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)
                .with_context(|| format!("cannot make the folder {}", parent.display()))?;
        }
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write {name}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_over() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = |name: &str, text: &str| (PathBuf::from(name), text.to_owned());
        let inside = folder.path().join("new");
        write_new(&inside, &[file("a/b.txt", "b"), file("c.txt", "c")]).unwrap();
        assert_eq!(fs::read_to_string(inside.join("a/b.txt")).unwrap(), "b");
        let again = write_new(&inside, &[file("d.txt", "d"), file("c.txt", "other")]);
        assert!(again.unwrap_err().to_string().contains("c.txt is there already"));
        assert!(!inside.join("d.txt").exists());
        assert_eq!(fs::read_to_string(inside.join("c.txt")).unwrap(), "c");
    }
}
