import CrateFile

/// A `.crate` that must be refused, and words that its refusal holds.
///
/// Each one claims to be `bar` 1.0.0 and would be accepted but for its one fault.
package struct HostileCrate: Sendable, CustomStringConvertible {
    /// The conformance case it belongs to, or `-`.
    package let number: String
    package let name: String
    package let refusal: String
    /// Not kept, since some are large.
    package let bytes: @Sendable () throws -> [UInt8]

    package static let root = "bar-1.0.0"

    package var description: String { "\(number) \(name)" }

    /// All of them: the conformance cases G and the list of the first issue.
    package static let all: [HostileCrate] = paths + types + headers + manifests + names + streams
}

// MARK: - Where entries lie

extension HostileCrate {
    private static let paths: [HostileCrate] = [
        entry("G1", "an entry outside the folder", "invalid path found: other-1.0.0/a", RawEntry("other-1.0.0/a")),
        entry("G1", "an entry beside the folder", "invalid path found: a", RawEntry("a")),
        entry("G1", "a folder with a longer name", "invalid path found: bar-1.0.0x/a", RawEntry("bar-1.0.0x/a")),
        entry("G1", "a file in the folder's place", "invalid path found: bar-1.0.0", RawEntry("bar-1.0.0")),
        entry("G1", "the folder in upper case", "invalid path found: BAR-1.0.0/a", RawEntry("BAR-1.0.0/a")),
        entry("G1", "an absolute path", "invalid path found: /etc/passwd", RawEntry("/etc/passwd")),
        entry("G1", "an absolute path to the folder", "invalid path found", RawEntry("/\(root)/a")),
        entry("G1", "a prefix field outside", "invalid path found: etc/bar-1.0.0/a", prefixed),
        entry("G2", "dots behind the folder", "invalid path found", RawEntry("\(root)/../../x")),
        entry("G2", "dots that come back", "invalid path found", RawEntry("\(root)/a/../b")),
        entry("G2", "a single dot", "invalid path found", RawEntry("\(root)/./a")),
        entry("G2", "an empty part", "invalid path found", RawEntry("\(root)//a")),
        entry("G2", "a file that ends with a slash", "invalid path found", RawEntry("\(root)/a/")),
        entry("G2", "dots between backslashes", "invalid path found", RawEntry("\(root)/..\\..\\x")),
        entry("G2", "a control character", "invalid path found: bar-1.0.0/\\u{1b}[2J", RawEntry("\(root)/\u{1B}[2J")),
        entry(
            "G2", "a path of 5,000 bytes", "at most 4096 bytes",
            RawEntry("\(root)/" + String(repeating: "a/", count: 2500) + "a")),
        entry(
            "-", "a path that is not UTF-8", "must be valid UTF-8",
            RawEntry(path: Array("\(root)/".utf8) + [0xFF, 0xFE])),
    ]

    private static let prefixed = RawEntry(
        path: Array("\(root)/a".utf8), magic: Array("ustar\u{0}00".utf8), prefix: "etc")
}

// MARK: - What entries are

extension HostileCrate {
    private static let types: [HostileCrate] = [
        type("G4", "1", "Link", target: "\(root)/Cargo.toml"),
        type("G4", "2", "Symlink", target: "/etc/passwd"),
        type("G5", "3", "Char"), type("G5", "4", "Block"), type("G5", "6", "Fifo"), type("G5", "7", "Continuous"),
        type("G5", "S", "GNUSparse"), type("G5", "Z", "Other(90)"), type("G5", "g", "XGlobalHeader"),
        type("G5", "K", "GNULongLink"),
        made("G5", "a sparse file by PAX", "unexpected tar entry type GNUSparse found") { writer in
            try writer.add(.pax([("GNU.sparse.major", "1"), ("GNU.sparse.name", "\(root)/a")]))
            try writer.add(RawEntry("\(root)/a", body: [1]))
        },
    ]

    private static func type(_ number: String, _ flag: Character, _ name: String, target: String = "") -> HostileCrate {
        entry(
            number, "an entry of type \(name)", "unexpected tar entry type \(name) found: \(root)/odd",
            RawEntry("\(root)/odd", type: flag, linkTarget: target))
    }
}

// MARK: - Headers that two programs could read differently

extension HostileCrate {
    private static let headers: [HostileCrate] = [
        made("G7", "a PAX size that disagrees", "uploaded tarball is malformed") { writer in
            try writer.add(.pax([("size", "512")]))
            try writer.add(RawEntry("\(root)/a", body: [UInt8](repeating: 1, count: 1024)))
        },
        made("-", "two PAX paths", "uploaded tarball is malformed") { writer in
            try writer.add(.pax([("path", "\(root)/a"), ("path", "\(root)/b")]))
            try writer.add(RawEntry("\(root)/c"))
        },
        made("-", "a PAX path with dots", "invalid path found") { writer in
            try writer.add(.pax([("path", "\(root)/../a")]))
            try writer.add(RawEntry("\(root)/a"))
        },
        made("-", "a GNU name and a PAX path", "uploaded tarball is malformed") { writer in
            try writer.add(RawEntry("././@LongLink", type: "L", body: Array("\(root)/a".utf8) + [0]))
            try writer.add(.pax([("path", "\(root)/b")]))
            try writer.add(RawEntry("\(root)/c"))
        },
        made("-", "a PAX record with a wrong length", "uploaded tarball is malformed") { writer in
            try writer.add(RawEntry("PaxHeaders/x", type: "x", body: Array("99 path=a\n".utf8)))
            try writer.add(RawEntry("\(root)/a"))
        },
        made("-", "a long name before no entry", "uploaded tarball is malformed") { writer in
            try writer.add(RawEntry("././@LongLink", type: "L", body: Array("\(root)/a".utf8)))
        },
        made("-", "a long name of 1 MiB", "uploaded tarball is malformed") { writer in
            try writer.add(RawEntry("././@LongLink", type: "L", body: [UInt8](repeating: 97, count: 1 << 20)))
            try writer.add(RawEntry("\(root)/a"))
        },
        entry("-", "a wrong checksum", "checksum of a tar header", RawEntry(path: path, checksumError: 1)),
        entry(
            "-", "a negative size", "uploaded tarball is malformed",
            RawEntry(path: path, sizeField: [UInt8](repeating: 0xFF, count: 12))),
        entry(
            "-", "a size that is no number", "uploaded tarball is malformed",
            RawEntry(path: path, sizeField: Array("00000000009 ".utf8))),
        entry("-", "a size beyond the archive", "ends in the middle", RawEntry(path: path, declaredBytes: 1 << 40)),
        entry("-", "a directory with content", "a directory has content", RawEntry("\(root)/d/", type: "5", body: [1])),
        entry(
            "-", "a magic that is nearly right", "unknown magic",
            RawEntry(path: path, magic: Array("ustar\u{0}99".utf8))),
        made("-", "an entry behind the end", "uploaded tarball is malformed") { writer in
            try writer.write([UInt8](repeating: 0, count: 1024))
            try writer.add(RawEntry("\(root)/a"))
        },
        made("-", "an entry behind one zero block", "uploaded tarball is malformed") { writer in
            try writer.write([UInt8](repeating: 0, count: 512))
            try writer.add(RawEntry("\(root)/a"))
        },
        HostileCrate(number: "-", name: "no end of the archive", refusal: "ends in the middle") {
            let sink = BytesSink()
            let writer = try CrateWriter(root: root, to: sink)
            try writer.add("Cargo.toml", manifest)
            try writer.finish(withEnd: false)
            return sink.bytes
        },
    ]

    private static let path = Array("\(root)/a".utf8)
}

// MARK: - Manifests

extension HostileCrate {
    private static let manifests: [HostileCrate] = [
        bare("G10", "no manifest", "is missing a `Cargo.toml` manifest file") { try $0.add("src/lib.rs", "") },
        bare("G10", "a manifest in a sub-folder only", "is missing a `Cargo.toml`") {
            try $0.add("a/Cargo.toml", manifest)
        },
        bare("G10", "a folder in the manifest's place", "is missing a `Cargo.toml`") { writer in
            try writer.add(RawEntry("\(root)/Cargo.toml/", type: "5"))
        },
        bare("G10", "a manifest in capitals", "must be named `Cargo.toml` with that exact casing") { writer in
            try writer.add("CARGO.TOML", manifest)
        },
        bare("G10", "a manifest in lower case", "must be named `Cargo.toml`") { try $0.add("cargo.toml", manifest) },
        made("G10", "two manifests", "contains more than one `Cargo.toml`") { try $0.add("Cargo.toml", manifest) },
        made("G10", "both spellings", "contains more than one `Cargo.toml`") { try $0.add("cargo.toml", manifest) },
        bare("-", "a manifest that is not UTF-8", "not valid UTF-8") { writer in
            try writer.add(RawEntry("\(root)/Cargo.toml", body: [0x61, 0xFF]))
        },
        bare("-", "a manifest of 2 MiB", "longer than 1024 KiB") { try $0.addZeros("Cargo.toml", bytesCount: 2 << 20) },
    ]
}

// MARK: - Names that do not travel

extension HostileCrate {
    private static let names: [HostileCrate] = [
        made("G14", "cargo's own mark", "leave it out") { try $0.add(".cargo-ok", "ok") },
        made("G14", "cargo's own mark in a sub-folder", "leave it out") { try $0.add("src/.Cargo-OK", "") },
        made("G14", "two paths alike but for case", "upper and lower case") { writer in
            try writer.add("src/Lib.rs", "")
            try writer.add("src/lib.rs", "")
        },
        made("G14", "one path twice", "`bar-1.0.0/src/lib.rs` more than once") { writer in
            try writer.add("src/lib.rs", "1")
            try writer.add("src/lib.rs", "2")
        },
        made("G14", "a device of Windows", "`aux.rs` is the name of a device") { try $0.add("src/aux.rs", "") },
        made("G14", "a device as a folder", "`NUL` is the name of a device") { try $0.add("NUL/a.rs", "") },
        made("G14", "a numbered device", "`com1.tar.gz` is the name of a device") { try $0.add("com1.tar.gz", "") },
        made("G14", "a colon", "which has one of the characters") { try $0.add("a.rs:stream", "") },
        made("G14", "a dot at the end", "ends with a dot or a space") { try $0.add("a.rs.", "") },
    ]
}

// MARK: - The gzip stream and its size

extension HostileCrate {
    private static let streams: [HostileCrate] = [
        HostileCrate(number: "-", name: "no byte at all", refusal: "not a gzip file") { [] },
        HostileCrate(number: "-", name: "a tar archive without gzip", refusal: "not a gzip file") {
            [UInt8](repeating: 0, count: 2048)
        },
        changed("one half of it", "ends too early") { Array($0.prefix($0.count / 2)) },
        changed("all but its last byte", "ends too early") { $0.dropLast() },
        changed("a wrong CRC", "gzip stream is damaged (incorrect data check)") { bytes in
            bytes[bytes.count - 8] ^= 1
            return bytes
        },
        changed("a wrong length", "gzip stream is damaged (incorrect length check)") { bytes in
            bytes[bytes.count - 1] ^= 1
            return bytes
        },
        changed("a byte behind the end", "bytes follow the end") { $0 + [0] },
        changed("a second member", "bytes follow the end") { $0 + $0 },
        made("G8", "a bomb of 600 MiB", "malformed or too large when decompressed") { writer in
            try writer.addZeros("zeros", bytesCount: 600 << 20)
        },
        made("G13", "100,001 entries", "contains more than 100000 entries") { writer in
            // The manifest is one more.
            for number in 1...100_000 { try writer.add(RawEntry("\(root)/\(number)")) }
        },
    ]

    private static func changed(
        _ name: String, _ refusal: String, _ change: @escaping @Sendable (inout [UInt8]) -> [UInt8]
    ) -> HostileCrate {
        HostileCrate(number: "-", name: name, refusal: refusal) {
            var bytes = try CrateWriter.crate(root: root) { try $0.add("Cargo.toml", manifest) }
            return change(&bytes)
        }
    }
}

// MARK: - Making them

extension HostileCrate {
    private static let manifest = MadeCrate("bar", "1.0.0").manifest

    /// A good crate with one entry more.
    private static func entry(_ number: String, _ name: String, _ refusal: String, _ entry: RawEntry) -> HostileCrate {
        made(number, name, refusal) { try $0.add(entry) }
    }

    /// A good crate with more in it.
    private static func made(
        _ number: String, _ name: String, _ refusal: String, _ more: @escaping @Sendable (CrateWriter) throws -> Void
    ) -> HostileCrate {
        bare(number, name, refusal) { writer in
            try writer.add("Cargo.toml", manifest)
            try more(writer)
        }
    }

    /// A crate with nothing else in it.
    private static func bare(
        _ number: String, _ name: String, _ refusal: String, _ fill: @escaping @Sendable (CrateWriter) throws -> Void
    ) -> HostileCrate {
        HostileCrate(number: number, name: name, refusal: refusal) {
            try CrateWriter.crate(root: root, level: 1, fill)
        }
    }
}
