# Builds the programs in a Debian other than this machine's, with the Rust of this machine. Run in a mount
# namespace of its own, so whatever is mounted goes with it.
#
#   $1  the unpacked Debian
#   $2  the project
#   $3  what `rustc --print sysroot` says; rustup's, which runs on any Debian
#   $4  the target directory, in the project
set -eu
root=$1 project=$2 sysroot=$3 target=$4
if [ "$sysroot" = /usr ]; then
    echo "Rust is this Debian's own, and does not run on another: use rustup's" >&2
    exit 1
fi
cargo fetch --locked --manifest-path "$project/Cargo.toml"
for directory in "$project" "$sysroot" "${CARGO_HOME:-$HOME/.cargo}"; do
    mkdir -p "$root$directory"
    mount --bind "$directory" "$root$directory"
done
# rustc finds its libraries by it.
mount -t proc proc "$root/proc"
chroot "$root" env -i "PATH=$sysroot/bin:/usr/bin:/bin" "CARGO_HOME=${CARGO_HOME:-$HOME/.cargo}" \
    cargo build --manifest-path "$project/Cargo.toml" --workspace --bins --examples --release --locked --offline --target-dir "$project/$target"
