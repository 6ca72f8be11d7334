import Crypto
package import Logging
import NIOCore
import NIOPosix
package import Registry
import Synchronization

/// Blobs in a folder: `<folder>/ab/<64 hex digits>`, and `<folder>/tmp` for those on their way.
///
/// A blob becomes visible by a rename within one file system, after its bytes are flushed; the folder is flushed before
/// `commit` returns. Files in `tmp` carry a lock for as long as their program lives, so that the sweep at start removes
/// exactly those of dead programs, even if replicas share the folder.
package struct DiskBlobs: BlobStore {
    let folder: String
    let logger: Logger

    /// Makes the folders that are missing and sweeps what a dead program left.
    package init(folder: String, logger: Logger) async throws {
        self.folder = folder
        self.logger = logger
        let swept = try await Self.offLoop { () throws(BlobError) in
            try DiskFolder.makeWithParents(folder)
            try DiskFolder.make(folder + "/tmp")
            try DiskFolder.synchronize(folder)
            return try Self.sweep(folder + "/tmp")
        }
        if swept > 0 { logger.notice("unfinished uploads removed", metadata: ["count": "\(swept)"]) }
    }

    package func begin() async throws -> any BlobWriter {
        let file = try await Self.offLoop { () throws(BlobError) in try Self.draft(in: folder + "/tmp") }
        return DiskBlobWriter(store: self, file: file)
    }

    package func open(_ checksum: Checksum) async throws -> (any BlobReader)? {
        try await Self.offLoop { () throws(BlobError) in
            guard let file = try DiskFile.reading(path(checksum)) else { return nil }
            return DiskBlobReader(file: file, bytes: try file.bytes())
        }
    }

    package func size(_ checksum: Checksum) async throws -> Int? {
        try await Self.offLoop { () throws(BlobError) in try DiskFolder.bytes(of: path(checksum)) }
    }

    package func delete(_ checksum: Checksum) async throws -> Bool {
        try await Self.offLoop { () throws(BlobError) in try DiskFolder.remove(path(checksum)) }
    }

    package func list(after last: Checksum?, limit: Int) async throws -> [Checksum] {
        try await Self.offLoop { () throws(BlobError) in try page(after: last?.description ?? "", limit: limit) }
    }

    /// How many uploads are on their way, of this program and of others that share the folder.
    package func unfinishedCount() async throws -> Int {
        try await Self.offLoop { () throws(BlobError) in try DiskFolder.names(in: folder + "/tmp").count }
    }

    func path(_ checksum: Checksum) -> String {
        "\(shelf(checksum))/\(checksum)"
    }

    func shelf(_ checksum: Checksum) -> String { "\(folder)/\(checksum.description.prefix(2))" }

    private func page(after last: String, limit: Int) throws(BlobError) -> [Checksum] {
        var page: [Checksum] = []
        for shelf in try DiskFolder.names(in: folder) where shelf.utf8.count == 2 && shelf >= last.prefix(2) {
            for name in try DiskFolder.names(in: "\(folder)/\(shelf)") where name > last {
                guard page.count < limit else { return page }
                if let checksum = Checksum(hex: name) { page.append(checksum) }
            }
        }
        return page
    }

    private static func draft(in folder: String) throws(BlobError) -> DiskFile {
        for _ in 0..<8 {
            if let file = try DiskFile.creating("\(folder)/\(UInt64.random(in: .min ... .max))") { return file }
        }
        throw .failed(operation: "create a file in", path: folder, cause: "eight random names were taken")
    }

    /// - Returns: how many files were removed.
    private static func sweep(_ folder: String) throws(BlobError) -> Int {
        var count = 0
        for name in try DiskFolder.names(in: folder) {
            guard let file = try DiskFile.reading("\(folder)/\(name)"), file.isAbandoned else { continue }
            if try DiskFolder.remove(file.path) { count += 1 }
        }
        return count
    }

    /// Runs blocking work on the threads that are meant for it.
    static func offLoop<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await NIOThreadPool.singleton.runIfActive(work)
    }
}

/// A blob that is being written into `tmp`.
final class DiskBlobWriter: BlobWriter {
    private struct Progress {
        var hash = SHA256()
        var bytes = 0
        var isOver = false
    }

    private let store: DiskBlobs
    let file: DiskFile
    private let progress = Mutex(Progress())

    init(store: DiskBlobs, file: DiskFile) {
        self.store = store
        self.file = file
    }

    /// A writer that is dropped takes its file along; a removal that fails here is repeated by the sweep at the next start.
    deinit {
        let isOver = progress.withLock { $0.isOver }
        if !isOver { _ = try? DiskFolder.remove(file.path) }
    }

    func write(_ bytes: ByteBuffer) async throws {
        try await DiskBlobs.offLoop { [self] in
            try bytes.withUnsafeReadableBytes { part in
                try file.write(part, at: progress.withLock { $0.bytes })
                progress.withLock {
                    $0.hash.update(bufferPointer: part)
                    $0.bytes += part.count
                }
            }
        }
    }

    var written: BlobDigest {
        progress.withLock { progress in
            guard let checksum = Checksum(bytes: progress.hash.finalize()) else {
                preconditionFailure("SHA-256 has 32 bytes")
            }
            return BlobDigest(checksum: checksum, bytes: progress.bytes)
        }
    }

    var draftPath: String { file.path }

    func commit(_ expected: Checksum) async throws {
        try expect(expected)
        try await DiskBlobs.offLoop { [self] in
            let shelf = store.shelf(expected)
            try file.synchronize()
            try DiskFolder.make(shelf)
            try DiskFolder.synchronize(store.folder)
            try place(expected)
            try DiskFolder.synchronize(shelf)
        }
    }

    /// - Throws: `BlobError.checksumDiffers`.
    func expect(_ expected: Checksum) throws(BlobError) {
        let found = written.checksum
        guard found == expected else { throw .checksumDiffers(expected: expected, found: found) }
    }

    /// Gives the file its name; its bytes are durable already, and the name is when the shelf is flushed.
    func place(_ checksum: Checksum) throws(BlobError) {
        try DiskFolder.rename(file.path, to: store.path(checksum))
        progress.withLock { $0.isOver = true }
    }

    func discard() async {
        guard !progress.withLock({ $0.isOver }) else { return }
        do {
            // A task of its own: the one that gives up has often been cancelled, and the file must go all the same.
            try await Task { [file] in
                _ = try await DiskBlobs.offLoop { try DiskFolder.remove(file.path) }
            }.value
            progress.withLock { $0.isOver = true }
        } catch {
            store.logger.warning("an unfinished upload stays until the next start", metadata: ["cause": "\(error)"])
        }
    }
}

final class DiskBlobReader: BlobReader {
    let bytes: Int
    private let file: DiskFile
    private let offset = Mutex(0)

    init(file: DiskFile, bytes: Int) {
        self.file = file
        self.bytes = bytes
    }

    func next() async throws -> ByteBuffer? {
        let place = offset.withLock { $0 }
        guard place < bytes else { return nil }
        let piece = try await DiskBlobs.offLoop { [file, bytes] in
            try file.read(at: place, limit: min(BlobPiece.bytesMax, bytes - place))
        }
        guard piece.readableBytes > 0 else {
            throw BlobError.failed(operation: "read", path: file.path, cause: "the file is shorter than it was")
        }
        offset.withLock { $0 += piece.readableBytes }
        return piece
    }
}
