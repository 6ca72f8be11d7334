import Crypto
import FoundationEssentials
import Hosting
import NIOCore
import Registry

/// A repository as a folder: what `import` takes, and what any web server serves as a sparse registry.
///
/// | path                                       | is                                                    |
/// |--------------------------------------------|-------------------------------------------------------|
/// | `index/config.json`                        | where the crate files are, for cargo                  |
/// | `index/se/rd/serde`                        | the index file, lines as they are served              |
/// | `crates/serde/serde-1.0.217.crate`         | the file of a version                                 |
///
/// A file is written beside its place under a name that nobody reads, `….part`, and renamed when it is whole: a program
/// that ends at any moment leaves no half of one. Its bytes are not flushed; who goes on after a power cut has each file
/// hashed again.
struct RegistryFolder: Sendable {
    let path: String

    /// Where the index file of a crate lies.
    func index(_ name: CrateName) -> String { "\(path)/index/\(name.indexPath)" }

    func crate(_ name: CrateName, _ version: Version) -> String {
        "\(path)/crates/\(name.spelling)/\(name.spelling)-\(version).crate"
    }

    /// - Parameter url: under which the folder will be served; nil leaves a file that is there as it is.
    func writeConfig(url: String?) async throws {
        let place = path + "/index/config.json"
        let base = try await DiskBlobs.offLoop { try url ?? (DiskFolder.bytes(of: place) == nil ? Self.usualURL : nil) }
        guard let base else { return }
        let plain = base.hasSuffix("/") ? String(base.dropLast()) : base
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        let config = try encoder.encode(["dl": plain + "/crates/{crate}/{crate}-{version}.crate"])
        try await write(String(decoding: config, as: UTF8.self) + "\n", to: place)
    }

    /// What `python3 -m http.server` in the folder answers to.
    static let usualURL = "http://127.0.0.1:8000"

    /// - Returns: false if the file was so already.
    @discardableResult
    func write(_ text: String, to place: String) async throws -> Bool {
        try await DiskBlobs.offLoop {
            if let bytes = try DiskFolder.bytes(of: place), bytes == text.utf8.count,
                try Self.checksum(of: place) == Checksum(bytes: SHA256.hash(data: Array(text.utf8)))
            {
                return false
            }
            let part = try Self.beginPart(of: place)
            try Array(text.utf8).withUnsafeBytes { try part.write($0, at: 0) }
            try DiskFolder.rename(part.path, to: place)
            return true
        }
    }

    /// Whether the very bytes are there.
    func holds(_ checksum: Checksum, bytes: Int, at place: String) async throws -> Bool {
        try await DiskBlobs.offLoop {
            try DiskFolder.bytes(of: place) == bytes && Self.checksum(of: place) == checksum
        }
    }

    /// Copies a blob, hashing it on the way.
    ///
    /// - Throws: `BlobError.checksumDiffers` if the blob is damaged; then the place is as it was.
    func write(_ blob: any BlobReader, _ checksum: Checksum, to place: String) async throws {
        let part = try await DiskBlobs.offLoop { try Self.beginPart(of: place) }
        do {
            var hash = SHA256()
            var bytes = 0
            while let piece = try await blob.next() {
                try Task.checkCancellation()
                piece.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
                try await DiskBlobs.offLoop { [bytes] in
                    try piece.withUnsafeReadableBytes { try part.write($0, at: bytes) }
                }
                bytes += piece.readableBytes
            }
            guard let found = Checksum(bytes: hash.finalize()) else { preconditionFailure("SHA-256 has 32 bytes") }
            guard found == checksum else { throw BlobError.checksumDiffers(expected: checksum, found: found) }
            try await DiskBlobs.offLoop { try DiskFolder.rename(part.path, to: place) }
        } catch {
            _ = try await DiskBlobs.offLoop { try DiskFolder.remove(part.path) }
            throw error
        }
    }

    /// - Returns: false if there was no such file.
    @discardableResult
    func remove(_ place: String) async throws -> Bool {
        try await DiskBlobs.offLoop { try DiskFolder.remove(place) }
    }

    /// Blocks. The file is to be read by whoever serves the folder, as far as the umask allows.
    private static func beginPart(of place: String) throws -> DiskFile {
        let path = place + ".part"
        if let slash = place.lastIndex(of: "/") {
            let folder = String(place[..<slash])
            do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
                throw BlobError.failed(operation: "create the folder", path: folder, cause: Explanation.of(error))
            }
        }
        try DiskFolder.remove(path)
        guard let file = try DiskFile.creating(path, mode: 0o644) else {
            throw BlobError.failed(operation: "create", path: path, cause: "another export writes into the same folder")
        }
        return file
    }

    private static func checksum(of place: String) throws -> Checksum? {
        guard let file = try DiskFile.reading(place) else { return nil }
        var hash = SHA256()
        var offset = 0
        while true {
            let piece = try file.read(at: offset, limit: BlobPiece.bytesMax)
            if piece.readableBytes == 0 { return Checksum(bytes: hash.finalize()) }
            piece.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
            offset += piece.readableBytes
        }
    }
}
