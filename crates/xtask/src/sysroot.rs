//! A private sysroot for the wasm target, built from the distribution's packages.
//!
//! The standard library's source comes from `rust-src` in exactly the compiler's version, the C
//! side from `wasi-libc`; the compiler's own toolchain is only read. All of it happens in a
//! directory that gets its final name at the very end, so an interrupted run leaves nothing that
//! could be taken for a sysroot.

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::apt::Apt;
use crate::run::{note, run};
use crate::target::{Compiler, TRIPLE, holds_std};
use crate::tree::{Tree, cargo};

/// The suite that keeps recent compilers' sources and a `wasi-libc` to match.
pub(crate) const SUITE: &str = "trixie-backports";

/// Raised when what is laid out here changes, so that older sysroots are built again.
const LAYOUT: u32 = 1;

/// What the linker needs beside the standard library.
const C_OBJECTS: &[&str] = &["crt1-command.o", "crt1-reactor.o", "libc.a"];

/// The sysroot of an earlier run, if it is whole and made for this compiler.
pub(crate) fn ready(tree: &Tree, compiler: &Compiler) -> Option<PathBuf> {
    let path = place(tree, compiler);
    let stamped = fs::read_to_string(path.join("stamp")).ok()?;
    (stamped == stamp(compiler) && holds_std(&library(&path))).then_some(path)
}

/// Builds it; takes about a minute.
pub(crate) fn build(tree: &Tree, compiler: &Compiler) -> Result<PathBuf> {
    fs::create_dir_all(tree.target(""))?;
    // Another run may be at it: wait for that one and take its result.
    let lock = File::create(tree.target("sysroot.lock"))?;
    lock.lock()?;
    if let Some(path) = ready(tree, compiler) {
        return Ok(path);
    }
    let path = place(tree, compiler);
    let work = tree.target(&format!("sysroot-{}.part", compiler.release));
    remove(&work)?;
    remove(&path)?;
    fetch(&work, compiler)?;
    compile(&work, compiler)?;
    let made = lay_out(&work, compiler)?;
    fs::rename(&made, &path).with_context(|| format!("could not put {} in place", path.display()))?;
    remove(&work)?;
    note(&format!("the target is ready in {}", path.display()));
    Ok(path)
}

fn place(tree: &Tree, compiler: &Compiler) -> PathBuf {
    tree.target(&format!("sysroot-{}", compiler.release))
}

fn library(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib").join(TRIPLE).join("lib")
}

/// What the sysroot was made for. A toolchain that moved counts as another, since we link to it.
fn stamp(compiler: &Compiler) -> String {
    format!(
        "layout {LAYOUT}\n{}{}\n",
        compiler.account,
        compiler.sysroot.display()
    )
}

fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("could not remove {}", dir.display()))
        }
        _ => Ok(()),
    }
}

fn fetch(work: &Path, compiler: &Compiler) -> Result<()> {
    note("(3/4) building it from the distribution's packages, about a minute");
    let apt = Apt::open(&work.join("apt"), SUITE)?;
    let release = &compiler.release;
    let sources = apt.versions("rust-src")?;
    let exact = sources.iter().find(|version| {
        version.starts_with(&format!("{release}+")) || version.starts_with(&format!("{release}-"))
    });
    let exact =
        exact.with_context(|| format!("{SUITE} has rust-src {sources:?}, but the compiler is {release}"))?;
    let libc = apt.versions("wasi-libc")?;
    let libc = libc
        .first()
        .with_context(|| format!("{SUITE} has no wasi-libc"))?;
    note(&format!("fetching rust-src {exact} and wasi-libc {libc}"));
    let root = work.join("root");
    apt.unpack("rust-src", exact, &root)?;
    apt.unpack("wasi-libc", libc, &root)
}

/// Compiles the standard library with the toolchain's own compiler, as the toolchain's makers do.
fn compile(work: &Path, compiler: &Compiler) -> Result<()> {
    note("compiling the standard library");
    let source = source(work, compiler);
    let remap = format!(
        "--remap-path-prefix={}=/rustc/{}",
        source.display(),
        compiler.release
    );
    let flags = ["-Cembed-bitcode=yes", "-Zforce-unstable-if-unmarked", &remap].join("\x1f");
    let mut command = cargo();
    command.args([
        "build",
        "--release",
        "--locked",
        "--features",
        "panic-unwind",
        "--target",
        TRIPLE,
    ]);
    command
        .arg("--manifest-path")
        .arg(source.join("library/sysroot/Cargo.toml"));
    command
        .arg("--target-dir")
        .arg(work.join("target"))
        .current_dir(work);
    // What the user set for their own builds must not leak into the standard library.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.ends_with("RUSTFLAGS")
            || name.starts_with("CARGO_PROFILE_")
            || name.starts_with("CARGO_BUILD_")
        {
            command.env_remove(name.as_ref());
        }
    }
    command
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER");
    run(command
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", flags))
}

fn source(work: &Path, compiler: &Compiler) -> PathBuf {
    work.join("root/usr/src")
        .join(format!("rustc-{}", compiler.release))
}

/// Gathers the parts into the shape in which rustc looks for them, and stamps the result.
fn lay_out(work: &Path, compiler: &Compiler) -> Result<PathBuf> {
    let made = work.join("sysroot");
    let library = library(&made);
    fs::create_dir_all(library.join("self-contained"))?;
    let deps = work.join("target").join(TRIPLE).join("release/deps");
    for entry in fs::read_dir(&deps)? {
        let file = entry?.path();
        if let (Some("rlib"), Some(name)) = (file.extension().and_then(|e| e.to_str()), file.file_name()) {
            fs::copy(&file, library.join(name))?;
        }
    }
    ensure!(
        holds_std(&library),
        "the build left no standard library in {}",
        deps.display()
    );
    let objects = work.join("root/usr/lib").join(TRIPLE);
    for name in C_OBJECTS {
        let from = objects.join(name);
        fs::copy(&from, library.join("self-contained").join(name))
            .with_context(|| format!("wasi-libc has no {}", from.display()))?;
    }
    // The linkers stay where the toolchain has them.
    let host = Path::new("lib/rustlib").join(&compiler.host);
    symlink(compiler.sysroot.join(&host), made.join(&host))?;
    fs::write(made.join("stamp"), stamp(compiler))?;
    Ok(made)
}
