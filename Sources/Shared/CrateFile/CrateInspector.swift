import Crypto
package import Registry

/// What a `.crate` that breaks no rule holds.
package struct CrateInspection: Equatable, Sendable {
    /// The text of `Cargo.toml`.
    package let manifest: String
    /// Of the file as it is, the `cksum` of the index line.
    package let checksum: Checksum
    /// The size of the file.
    package let compressedBytes: Int
    /// The size of the tar archive in it.
    package let unpackedBytes: Int
    /// Files and directories.
    package let entryCount: Int
    /// True if a `build.rs` lies beside the `Cargo.toml`: cargo runs it unless the manifest says otherwise.
    package let hasBuildFile: Bool
}

/// Walks a `.crate` once and says what it holds, or which rule it breaks.
///
/// Memory is bounded (about 300 KiB, the manifest, and 48 bytes an entry), nothing is written to disk. The walk blocks
/// its thread for as long as unpacking takes, up to seconds: run it off the event loop.
///
/// | rule                                                        | case      |
/// |-------------------------------------------------------------|-----------|
/// | one gzip member, whole, nothing behind it                   | G8        |
/// | unpacked at most 512 MiB or 20 times the file, as in cargo  | G8        |
/// | every path inside `name-vers/`, UTF-8, no `..`              | G1, G2    |
/// | files and directories only                                  | G4, G5    |
/// | headers that can be read one way only                       | G7        |
/// | `Cargo.toml` once, spelled so                               | G10       |
/// | entries counted                                             | G13       |
/// | no two paths alike but for case; none that Windows refuses  | G14       |
package struct CrateInspector: Sendable {
    package static let entriesMax = 100_000
    package static let manifestBytesMax = 1 << 20

    /// Which of the rules hold.
    package enum Rules: Sendable {
        /// All of them.
        case publish
        /// Without those of G14: other registries took such crates, and builds depend on them.
        case imported
    }

    private let root: String
    private let rules: Rules

    /// - Parameters:
    ///   - name: as spelled in the metadata; the folder in the archive must be spelled so too.
    ///   - version: with its build metadata.
    package init(name: CrateName, version: Version, rules: Rules = .publish) {
        root = "\(name.spelling)-\(version)"
        self.rules = rules
    }

    /// Inspects a file on disk.
    ///
    /// - Parameter isCancelled: asked every 64 KiB of unpacked bytes.
    /// - Throws: `Objection` if the crate breaks a rule; `CancellationError`; `FileFailure` or `OutOfMemory`
    ///   if the machine is at fault.
    package func inspect(
        path: String, isCancelled: () -> Bool = { Task.isCancelled }
    ) throws -> CrateInspection {
        let file = try FileSource(path: path)
        return try inspect(file, compressedBytes: file.bytesCount, isCancelled)
    }

    /// Inspects bytes that are in memory.
    package func inspect(
        _ bytes: [UInt8], isCancelled: () -> Bool = { Task.isCancelled }
    ) throws -> CrateInspection {
        try inspect(BytesSource(bytes), compressedBytes: bytes.count, isCancelled)
    }

    /// What cargo unpacks at most, so that nothing is served that cargo would refuse.
    package static func unpackedBytesMax(compressedBytes: Int) -> Int { max(512 << 20, 20 * compressedBytes) }

    private func inspect(
        _ source: some ByteSource, compressedBytes: Int, _ isCancelled: () -> Bool
    ) throws -> CrateInspection {
        let file = HashingSource(source)
        let gunzip = try Gunzip(file, unpackedBytesMax: Self.unpackedBytesMax(compressedBytes: compressedBytes))
        return try withoutActuallyEscaping(isCancelled) { isCancelled in
            var archive = TarReader(CancellableSource(source: gunzip, isCancelled: isCancelled))
            var walk = CrateWalk(root: root, rules: rules)
            while let entry = try archive.next() {
                if try walk.isManifest(entry) { try walk.setManifest(archive.body(bytesMax: entry.bytesCount)) }
            }
            // The archive was read to the end of the gzip stream, so the hash covers the whole file.
            return CrateInspection(
                manifest: try walk.finish(), checksum: file.checksum, compressedBytes: file.bytesRead,
                unpackedBytes: gunzip.unpackedBytes, entryCount: walk.entryCount, hasBuildFile: walk.hasBuildFile)
        }
    }
}

/// What the rules need to remember from one entry to the next.
private struct CrateWalk {
    let root: String
    let rules: CrateInspector.Rules
    private(set) var entryCount = 0
    private(set) var hasBuildFile = false
    private var manifest: String?
    private var manifestNames: [String] = []
    private var seen: [PathDigest: PathDigest] = [:]

    init(root: String, rules: CrateInspector.Rules) {
        self.root = root
        self.rules = rules
    }

    /// Checks the entry and says whether its content is the manifest that is wanted.
    mutating func isManifest(_ entry: TarEntry) throws(Objection) -> Bool {
        entryCount += 1
        guard entryCount <= CrateInspector.entriesMax else { throw .tooManyEntries(max: CrateInspector.entriesMax) }
        if case .other = entry.kind { throw .unexpectedType("\(entry.kind)", path: entry.path) }
        let path = try CratePath(of: entry, root: root)
        if path.inside.lowercased() == "cargo.toml", entry.kind == .file {
            manifestNames.append(path.inside)
            guard manifestNames.count == 1 else { throw .repeatedManifest }
        }
        if rules == .publish {
            try path.checkPortable()
            try remember(path)
        }
        if path.inside == "build.rs", entry.kind == .file { hasBuildFile = true }
        guard entry.kind == .file, path.inside == "Cargo.toml" else { return false }
        guard entry.bytesCount <= CrateInspector.manifestBytesMax else {
            throw .manifestTooLarge(bytesMax: CrateInspector.manifestBytesMax)
        }
        return true
    }

    mutating func setManifest(_ bytes: [UInt8]) throws(Objection) {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .manifestNotUTF8 }
        manifest = text
    }

    func finish() throws(Objection) -> String {
        if let manifest { return manifest }
        throw manifestNames.first.map(Objection.misspelledManifest) ?? .missingManifest
    }

    private mutating func remember(_ path: CratePath) throws(Objection) {
        let exact = PathDigest(of: path.text)
        guard let earlier = seen.updateValue(exact, forKey: PathDigest(of: path.folded)) else { return }
        throw earlier == exact ? .repeatedPath(path.text) : .clashingPath(path.text)
    }
}

/// 128 bits in the place of a path, so that 100,000 long paths cannot fill the memory.
private struct PathDigest: Hashable {
    private let high: UInt64
    private let low: UInt64

    init(of text: String) {
        var hasher = SHA256()
        var text = text
        text.withUTF8 { hasher.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        (high, low) = hasher.finalize().withUnsafeBytes { bytes in
            (bytes.load(as: UInt64.self), bytes.load(fromByteOffset: 8, as: UInt64.self))
        }
    }
}
