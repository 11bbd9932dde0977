//! A VFS that hands everything on to SQLite's own and writes down what would change a disk.
//!
//! Reads, locks and shared memory are SQLite's own, so a writer and its readers work together as
//! they do in the shop. Only the database, its log and its rollback journal are written down;
//! temporary files don't outlive a power cut anyway.

#![expect(unsafe_code, reason = "SQLite calls a VFS through pointers to C functions")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem::size_of;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use rusqlite::ffi::{
    SQLITE_IOERR, SQLITE_OK, SQLITE_OPEN_CREATE, SQLITE_OPEN_MAIN_DB, SQLITE_OPEN_MAIN_JOURNAL,
    SQLITE_OPEN_WAL, sqlite3_file, sqlite3_io_methods, sqlite3_vfs, sqlite3_vfs_find, sqlite3_vfs_register,
};

use crate::log::{Event, FileId, Log};

/// How long a sync takes here. A disk takes its time too, and an answer that does not wait for the
/// disk stands in the log before the sync, where a cut finds it.
const SYNC: Duration = Duration::from_micros(300);

/// What the VFS knows, for as long as the process lives: SQLite may ask for it at any time.
struct Backstage {
    log: Arc<Log>,
    real: *mut sqlite3_vfs,
}

/// An open file of ours. SQLite reserves the room for it, and behind it for the real file.
#[repr(C)]
struct File {
    base: sqlite3_file,
    log: *const Log,
    /// None for files that are not written down.
    id: Option<FileId>,
    /// SQLite syncs the folder with the first sync of a log or journal that it may have created.
    syncs_folder: bool,
}

/// Registers a VFS of this name that writes to `log`.
pub(crate) fn register(name: &str, log: Arc<Log>) {
    let name = CString::new(name).unwrap().into_raw();
    // SAFETY: SQLite hands out its default VFS, which lives for ever, as do the three leaked values.
    // All methods but `xOpen` of SQLite's own VFS don't look at the VFS they are called with, so
    // they are taken over as they are.
    unsafe {
        let real = sqlite3_vfs_find(std::ptr::null());
        let backstage = Box::into_raw(Box::new(Backstage { log, real }));
        let vfs = Box::into_raw(Box::new(*real));
        (*vfs).pNext = std::ptr::null_mut();
        (*vfs).zName = name;
        (*vfs).pAppData = backstage.cast();
        (*vfs).szOsFile += c_int::try_from(size_of::<File>()).unwrap();
        (*vfs).xOpen = Some(open);
        (*vfs).xDelete = Some(delete);
        assert_eq!(sqlite3_vfs_register(vfs, 0), SQLITE_OK);
    }
}

/// Version 2 has no memory mapping, through which writes would escape the log.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The last part of a path, by which the log knows a file.
///
/// # Safety
/// `path` is null or a C string.
unsafe fn name(path: *const c_char) -> Option<String> {
    // SAFETY: as above.
    let path = (!path.is_null()).then(|| unsafe { CStr::from_ptr(path) })?;
    let path = path.to_str().ok()?;
    path.rsplit('/').next().map(str::to_owned)
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    path: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: `vfs` is the one registered above, and `file` has as much room as it asks for.
    unsafe {
        let backstage = &*(*vfs).pAppData.cast::<Backstage>();
        (*file).pMethods = std::ptr::null();
        let real_file = real(file);
        (*real_file).pMethods = std::ptr::null();
        let mut entries = backstage.log.lock();
        let Some(real_open) = (*backstage.real).xOpen else {
            return SQLITE_IOERR;
        };
        let code = real_open(backstage.real, path, real_file, flags, out_flags);
        if code != SQLITE_OK {
            return code;
        }
        let recorded = flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL) != 0;
        let name = if recorded { name(path) } else { None };
        file.cast::<File>().write(File {
            base: sqlite3_file { pMethods: &METHODS },
            log: Arc::as_ptr(&backstage.log),
            id: name.map(|name| entries.open(&name)),
            syncs_folder: flags & SQLITE_OPEN_CREATE != 0
                && flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL) != 0,
        });
        code
    }
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, path: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: `vfs` is the one registered above.
    unsafe {
        let backstage = &*(*vfs).pAppData.cast::<Backstage>();
        let mut entries = backstage.log.lock();
        let Some(real_delete) = (*backstage.real).xDelete else {
            return SQLITE_IOERR;
        };
        let code = real_delete(backstage.real, path, sync_folder);
        if let (SQLITE_OK, Some(name)) = (code, name(path)) {
            entries.delete(&name, sync_folder != 0);
        }
        code
    }
}

/// The real file, which stands behind ours.
///
/// # Safety
/// `file` is one of ours.
unsafe fn real(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: `szOsFile` counts both.
    unsafe { file.cast::<File>().add(1).cast() }
}

/// Calls a method of the real file.
macro_rules! pass {
    ($method:ident($file:expr $(, $argument:expr)*)) => {
        // SAFETY: SQLite calls with a file that `open` has filled in, and with its own arguments.
        unsafe {
            let file = real($file);
            match (*(*file).pMethods).$method {
                Some(method) => method(file $(, $argument)*),
                None => SQLITE_IOERR,
            }
        }
    };
}

/// Does something to a file that is written down as `event`, if it succeeds.
///
/// # Safety
/// `file` is one of ours and open.
unsafe fn record(
    file: *mut sqlite3_file,
    act: impl FnOnce() -> c_int,
    event: impl FnOnce(FileId) -> Event,
) -> c_int {
    // SAFETY: as above; the log lives as long as the VFS.
    let (log, id) = unsafe {
        let file = file.cast::<File>();
        (&*(*file).log, (*file).id)
    };
    let mut entries = log.lock();
    let code = act();
    if let (SQLITE_OK, Some(id)) = (code, id) {
        entries.events.push(event(id));
    }
    code
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, count: c_int, offset: i64) -> c_int {
    let event = |file| {
        let count = usize::try_from(count).unwrap();
        // SAFETY: SQLite hands over `count` bytes.
        let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), count) };
        let offset = usize::try_from(offset).unwrap();
        Event::Written {
            file,
            offset,
            bytes: bytes.into(),
        }
    };
    let act = || pass!(xWrite(file, from, count, offset));
    // SAFETY: it is one of ours.
    unsafe { record(file, act, event) }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: i64) -> c_int {
    let event = |file| Event::Truncated {
        file,
        size: usize::try_from(size).unwrap(),
    };
    let act = || pass!(xTruncate(file, size));
    // SAFETY: it is one of ours.
    unsafe { record(file, act, event) }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: it is one of ours, and only one thread uses a file at a time.
    let (log, with_folder) = unsafe {
        let file = file.cast::<File>();
        (&*(*file).log, std::mem::take(&mut (*file).syncs_folder))
    };
    let begun = log.lock().events.len();
    sleep(SYNC);
    let event = |file| Event::Synced {
        file,
        begun,
        with_folder,
    };
    let act = || pass!(xSync(file, flags));
    // SAFETY: it is one of ours.
    unsafe { record(file, act, event) }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    pass!(xClose(file))
}

unsafe extern "C" fn read(file: *mut sqlite3_file, to: *mut c_void, count: c_int, offset: i64) -> c_int {
    pass!(xRead(file, to, count, offset))
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut i64) -> c_int {
    pass!(xFileSize(file, size))
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    pass!(xLock(file, level))
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    pass!(xUnlock(file, level))
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, held: *mut c_int) -> c_int {
    pass!(xCheckReservedLock(file, held))
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, what: c_int, argument: *mut c_void) -> c_int {
    pass!(xFileControl(file, what, argument))
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    pass!(xSectorSize(file))
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    pass!(xDeviceCharacteristics(file))
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    at: *mut *mut c_void,
) -> c_int {
    pass!(xShmMap(file, page, size, extend, at))
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    pass!(xShmLock(file, offset, count, flags))
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: it is one of ours.
    unsafe {
        let file = real(file);
        if let Some(barrier) = (*(*file).pMethods).xShmBarrier {
            barrier(file);
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    pass!(xShmUnmap(file, delete))
}
