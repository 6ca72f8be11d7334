import Crypto
package import Logging
import NIOCore
import NIOPosix
package import Registry
import Synchronization

/// A blob that may be served: its hash was checked in this run.
package struct HeldBlob: Hashable, Sendable {
    package let path: String
    package let bytes: Int
}

/// The `.crate` files on disk, named by their SHA-256, within a limit of bytes.
///
/// A blob is checked before it is kept, and again when it is first read after a restart (I8).
package final class BlobFolder: Sendable {
    package enum Failure: Error, CustomStringConvertible {
        case full(bytesMax: Int)
        case wrongChecksum(expected: Checksum, found: Checksum)

        package var description: String {
            switch self {
            case .full(let bytesMax):
                "the disk limit of \(bytesMax) bytes is reached and everything on disk was asked for a moment ago"
            case .wrongChecksum(let expected, let found):
                "the origin sent bytes with the checksum \(found) instead of \(expected)"
            }
        }
    }

    private let layout: DiskLayout
    private let ledger: Mutex<BlobLedger>
    private let lastIncoming = Atomic<UInt64>(0)
    private let logger: Logger

    /// Makes the folders, drops rows without a file, and sweeps files without a row: a few may be left by a crash
    /// between the rename and the catalogue, and fetching them again is cheaper than keeping a second truth.
    package init(layout: DiskLayout, bytesMax: Int, rows: [BlobRow], logger: Logger) throws {
        self.layout = layout
        self.logger = logger
        for folder in [layout.root, layout.blobs, layout.incoming] { try PosixFile.makeFolder(folder) }
        for name in try PosixFile.list(layout.incoming) { try PosixFile.remove(layout.incoming + "/" + name) }
        var ledger = BlobLedger(bytesMax: bytesMax)
        let known = Dictionary(rows.map { ($0.checksum, $0) }) { first, _ in first }
        var swept = 0
        for prefix in try PosixFile.list(layout.blobs) {
            for name in try PosixFile.list(layout.blobs + "/" + prefix) {
                let path = layout.blobs + "/\(prefix)/\(name)"
                if let checksum = Checksum(hex: name), let row = known[checksum], layout.blob(checksum) == path,
                    PosixFile.size(path) == row.bytes
                {
                    ledger.restore(row)
                } else {
                    try PosixFile.remove(path)
                    swept += 1
                }
            }
        }
        for row in rows where ledger[row.checksum] == nil { ledger.putBack([row.checksum: nil]) }
        if swept > 0 { logger.notice("swept files that the catalogue does not know", metadata: ["count": "\(swept)"]) }
        self.ledger = Mutex(ledger)
    }

    package var bytes: Int { ledger.withLock { $0.bytes } }
    package var count: Int { ledger.withLock { $0.count } }

    /// The hot path: a blob that needs no check any more, and whose file is still there.
    ///
    /// - Parameter now: seconds since 1970.
    package func find(_ checksum: Checksum, at now: Int) -> HeldBlob? {
        let entry = ledger.withLock { $0.use(checksum, at: now) }
        guard let entry, entry.trust == .verified else { return nil }
        let path = layout.blob(checksum)
        return PosixFile.size(path) == entry.bytes ? HeldBlob(path: path, bytes: entry.bytes) : nil
    }

    /// Like `find`, but reads a blob of an earlier run first; a damaged one is deleted and reported as not held.
    package func check(_ checksum: Checksum, at now: Int) async throws -> HeldBlob? {
        guard let entry = ledger.withLock({ $0.use(checksum, at: now) }) else { return nil }
        let path = layout.blob(checksum)
        guard PosixFile.size(path) == entry.bytes else {
            // It may have been evicted since the ledger was asked: that is in order, and already noted.
            guard ledger.withLock({ $0[checksum] != nil }) else { return nil }
            logger.error(
                "a file on disk is gone or has another size: fetched again on its next use",
                metadata: ["sha256": "\(checksum)"])
            try discard(checksum)
            return nil
        }
        if entry.trust == .unread {
            guard try await Self.hash(of: path) == checksum else {
                logger.error(
                    "a file on disk is damaged: deleted, fetched again on its next use",
                    metadata: ["sha256": "\(checksum)"])
                try discard(checksum)
                return nil
            }
            ledger.withLock { $0.verified(checksum) }
        }
        return HeldBlob(path: path, bytes: entry.bytes)
    }

    /// Forgets a blob and deletes its file.
    package func discard(_ checksum: Checksum) throws {
        ledger.withLock { $0.remove(checksum) }
        try PosixFile.remove(layout.blob(checksum))
    }

    /// Begins a new blob; nothing of it is visible before `finish`.
    package func writer(for checksum: Checksum, now: @escaping @Sendable () -> Int) throws -> BlobWriter {
        let number = lastIncoming.add(1, ordering: .relaxed).newValue
        // An operator may have emptied the folder while the edge runs.
        try PosixFile.makeFolders(layout.incoming)
        return try BlobWriter(checksum, layout: layout, path: layout.incoming(number), folder: self, now: now)
    }

    /// What changed since the last call, for the catalogue; nil means the blob is gone.
    package func takeChanges() -> [Checksum: BlobRow?] { ledger.withLock { $0.takeChanges() } }
    package func putBack(_ changes: [Checksum: BlobRow?]) { ledger.withLock { $0.putBack(changes) } }

    func reserve(_ count: Int, at now: Int) throws {
        let (victims, bytesMax) = ledger.withLock { ($0.reserve(count, at: now), $0.bytesMax) }
        guard let victims else { throw Failure.full(bytesMax: bytesMax) }
        for victim in victims { try PosixFile.remove(layout.blob(victim)) }
    }

    func release(_ count: Int) { ledger.withLock { $0.release(count) } }

    func keep(_ checksum: Checksum, bytes: Int, at now: Int) -> HeldBlob {
        ledger.withLock { $0.keep(checksum, bytes: bytes, at: now) }
        return HeldBlob(path: layout.blob(checksum), bytes: bytes)
    }

    private static let readSize = 256 << 10

    /// - Returns: nil for a file that can't be read; the next fetch brings it back.
    private static func hash(of path: String) async throws -> Checksum? {
        try await NIOThreadPool.singleton.runIfActive {
            guard let file = try? PosixFile.openToRead(path) else { return nil }
            defer { PosixFile.close(file) }
            var hasher = SHA256()
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: readSize, alignment: 16)
            defer { buffer.deallocate() }
            while let count = try? PosixFile.read(file, into: buffer, path: path) {
                if count == 0 { return Checksum(bytes: hasher.finalize()) }
                hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
            return nil
        }
    }
}
