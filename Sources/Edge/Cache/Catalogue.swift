import FoundationEssentials
import GRDB
package import Logging
import NIOCore
package import Registry

/// What the edge holds, in SQLite, so that a restart begins warm.
///
/// Rows and the applied position are saved in one transaction (see `CacheJournal`).
/// A damaged or newer file is moved aside and the edge starts cold: it can fetch everything again. A file that can't be
/// read just now (disk full, locked) stays: moving it would cost all warmth for nothing.
package final class Catalogue: Sendable {
    /// What an earlier run left.
    package struct Contents: Sendable {
        /// 0 for none: follow the feed from its latest position.
        package var applied: UInt64 = 0
        package var epoch: UInt64 = 1
        /// When the edge last knew itself to be fresh; seconds since 1970.
        package var currentAt: Int?
        /// Nil for a catalogue of a version that kept none.
        package var ended: EndedSubjects?
        package var entries: [SavedEntry] = []
        package var blobs: [BlobRow] = []
    }

    static let schemaVersion = 1

    private let database: DatabaseQueue

    private init(path: String) throws {
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.busyMode = .timeout(5)
        configuration.label = "catalogue"
        database = try DatabaseQueue(path: path, configuration: configuration)
    }

    /// The folder must be there (`FolderClaim`).
    ///
    /// - Throws: `Unreachable`; or what a second try with an empty file throws too.
    package static func open(_ layout: DiskLayout, logger: Logger) throws -> (Catalogue, Contents) {
        do {
            let catalogue = try Catalogue(path: layout.catalogue)
            return (catalogue, try catalogue.read())
        } catch let error as DatabaseError where Self.isOfTheMachine(error) {
            throw Unreachable(path: layout.catalogue, reason: error.message ?? "\(error.resultCode)")
        } catch {
            logger.error(
                "the catalogue can't be used: moved aside, starting cold",
                metadata: ["file": "\(layout.catalogue)", "error": "\(error)"])
            try moveAside(layout)
            let catalogue = try Catalogue(path: layout.catalogue)
            return (catalogue, try catalogue.read())
        }
    }

    /// Saves everything or nothing.
    ///
    /// - Parameter currentAt: nil leaves what is saved, because the edge was not fresh.
    package func save(_ journal: CacheJournal, blobs: [Checksum: BlobRow?], currentAt: Int?) async throws {
        try await database.write { database in
            for (key, change) in journal.changes { try Self.save(key, change, in: database) }
            for (checksum, row) in blobs { try Self.save(checksum, row, in: database) }
            try Self.setMeta("applied", Int64(bitPattern: journal.applied), in: database)
            try Self.setMeta("epoch", Int64(bitPattern: journal.epoch), in: database)
            if let ended = journal.ended { try Self.save(ended, in: database) }
            if let currentAt { try Self.setMeta("current_at", Int64(currentAt), in: database) }
        }
    }

    /// Closes the database; what was saved stays.
    package func close() throws { try database.close() }

    /// The system refuses the catalogue; its content is not to blame.
    package struct Unreachable: Error, CustomStringConvertible {
        package let path: String
        let reason: String

        package var description: String {
            "the catalogue \(path) can't be opened: \(reason). Is the disk full or read-only, the file another user's, "
                + "or does another edge use it? Deleting the folder of a stopped edge costs its warmth, and the reads that "
                + "the origin was not told of yet"
        }
    }

    private static func isOfTheMachine(_ error: DatabaseError) -> Bool {
        let codes: [ResultCode] = [
            .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_READONLY, .SQLITE_PERM,
            .SQLITE_NOMEM,
        ]
        return codes.contains(error.resultCode)
    }

    private struct NewerSchema: Error, CustomStringConvertible {
        let version: Int
        var description: String { "it was written by a newer version (schema \(version))" }
    }

    private struct Damage: Error, CustomStringConvertible {
        var description: String { "its position in the feed can't be read" }
    }

    private func read() throws -> Contents {
        try database.write { database in
            let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
            guard version <= Self.schemaVersion else { throw NewerSchema(version: version) }
            if version == 0 { try database.execute(sql: Self.schema) }
            // Beside the version, since a program that does not know the table can leave it alone.
            try database.execute(sql: Self.endedSchema)
            var contents = Contents()
            for row in try Row.fetchAll(database, sql: "SELECT name, value FROM meta") {
                guard let name = String.fromDatabaseValue(row[0]), let value = Self.count(row[1]) else {
                    throw Damage()
                }
                switch name {
                case "applied": contents.applied = UInt64(value)
                case "epoch": contents.epoch = UInt64(value)
                case "current_at": contents.currentAt = value
                default: continue
                }
            }
            contents.ended = try Self.ended(in: database)
            contents.entries = try Row.fetchAll(
                database, sql: "SELECT key, kind, tag, position, epoch, body FROM entries"
            ).compactMap(Self.entry)
            contents.blobs = try Row.fetchAll(database, sql: "SELECT sha256, bytes, used_at FROM blobs")
                .compactMap(Self.blob)
            return contents
        }
    }

    private static let schema = """
        CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE entries (
            key BLOB PRIMARY KEY, kind INTEGER NOT NULL, tag TEXT, position INTEGER NOT NULL,
            epoch INTEGER NOT NULL, body BLOB NOT NULL);
        CREATE TABLE blobs (sha256 BLOB PRIMARY KEY, bytes INTEGER NOT NULL, used_at INTEGER NOT NULL) WITHOUT ROWID;
        PRAGMA user_version = \(schemaVersion);
        """

    /// One row without a subject holds the floor.
    private static let endedSchema = """
        CREATE TABLE IF NOT EXISTS ended (subject TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
        """

    private static func save(_ ended: EndedSubjects, in database: Database) throws {
        try database.execute(sql: "DELETE FROM ended")
        let rows = ended.positions.merging(["": ended.floor]) { position, _ in position }
        for (subject, position) in rows {
            try database.execute(
                sql: "INSERT INTO ended VALUES (?, ?)", arguments: [subject, Int64(bitPattern: position)])
        }
    }

    private static func ended(in database: Database) throws -> EndedSubjects? {
        var positions: [String: UInt64] = [:]
        for row in try Row.fetchAll(database, sql: "SELECT subject, position FROM ended") {
            guard let subject = String.fromDatabaseValue(row[0]), let position = count(row[1]) else { throw Damage() }
            positions[subject] = UInt64(position)
        }
        return positions.removeValue(forKey: "").map { EndedSubjects(floor: $0, positions: positions) }
    }

    private static func save(_ key: CacheKey, _ change: CacheJournal.Change, in database: Database) throws {
        switch change {
        case .save(let entry):
            try database.execute(
                sql: "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [
                    key.data, entry.kind.rawValue, entry.tag?.description, Int64(bitPattern: entry.position),
                    Int64(bitPattern: entry.epoch), Data(entry.body.readableBytesView),
                ])
        case .verify(let position, let epoch):
            try database.execute(
                sql: "UPDATE entries SET position = ?, epoch = ? WHERE key = ?",
                arguments: [Int64(bitPattern: position), Int64(bitPattern: epoch), key.data])
        case .delete:
            try database.execute(sql: "DELETE FROM entries WHERE key = ?", arguments: [key.data])
        }
    }

    private static func save(_ checksum: Checksum, _ row: BlobRow?, in database: Database) throws {
        guard let row else {
            try database.execute(sql: "DELETE FROM blobs WHERE sha256 = ?", arguments: [Data(checksum.bytes)])
            return
        }
        try database.execute(
            sql: "INSERT OR REPLACE INTO blobs VALUES (?, ?, ?)",
            arguments: [Data(checksum.bytes), row.bytes, row.usedAt])
    }

    private static func setMeta(_ name: String, _ value: Int64, in database: Database) throws {
        try database.execute(sql: "INSERT OR REPLACE INTO meta VALUES (?, ?)", arguments: [name, value])
    }

    /// A row that makes no sense is passed over: it costs one fetch. Columns are read by place and asked for their type,
    /// because a damaged file may hold anything, and what GRDB can't convert otherwise ends the process.
    private static func entry(_ row: Row) -> SavedEntry? {
        guard let key = Data.fromDatabaseValue(row[0]), let body = Data.fromDatabaseValue(row[5]),
            let number = Int.fromDatabaseValue(row[1]), let kind = CacheKey.Kind(rawValue: number),
            let position = count(row[3]), let epoch = count(row[4])
        else { return nil }
        let tag = String.fromDatabaseValue(row[2]).flatMap { EntityTag(parsing: $0) }
        if kind == .index, tag == nil { return nil }
        return SavedEntry(
            key: CacheKey(path: ByteBuffer(bytes: key)), kind: kind, tag: tag, position: UInt64(position),
            epoch: UInt64(epoch), body: ByteBuffer(bytes: body))
    }

    private static func blob(_ row: Row) -> BlobRow? {
        guard let hash = Data.fromDatabaseValue(row[0]), let checksum = Checksum(bytes: hash),
            let bytes = count(row[1]), let usedAt = count(row[2])
        else { return nil }
        return BlobRow(checksum: checksum, bytes: bytes, usedAt: usedAt)
    }

    /// A number that this program could have written: with it one can count on without an overflow.
    private static func count(_ value: DatabaseValue) -> Int? {
        guard let number = Int.fromDatabaseValue(value), (0..<1 << 60).contains(number) else { return nil }
        return number
    }

    private static func moveAside(_ layout: DiskLayout) throws {
        let aside = layout.catalogue + ".unusable"
        for suffix in ["-wal", "-shm"] { try PosixFile.remove(layout.catalogue + suffix) }
        if PosixFile.size(layout.catalogue) != nil { try PosixFile.rename(layout.catalogue, to: aside) }
    }
}

extension CacheKey {
    fileprivate var data: Data { Data(bytes.readableBytesView) }
}
