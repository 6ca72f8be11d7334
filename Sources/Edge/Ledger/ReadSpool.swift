import FoundationEssentials
import GRDB
import Glibc
package import Logging
package import Registry

/// What was read and the origin does not have yet, in SQLite; the place in the journal up to which it is complete.
///
/// | table    | holds                                                                              |
/// |----------|------------------------------------------------------------------------------------|
/// | `meta`   | the spool's id, the journal's place, the last batch's number                       |
/// | `pulls`  | downloads, one a row                                                               |
/// | `reads`  | sums by day: of index files, and of downloads whose rows had to go                 |
/// | `refusals` | what was refused, by page and line (`ReadSpool+Refusals.swift`)                    |
/// | `outbox` | the batch that is on its way, as it is sent: the same bytes however often          |
///
/// A read moves on in one transaction each time: journal → rows → batch → gone. So it is in exactly one place, wherever
/// the process is killed.
package final class ReadSpool: Sendable {
    /// What is taken out of the journal at once.
    package struct Rows: Sendable {
        package var pulls: [AccessBatch.Pull] = []
        package var reads: [AccessBatch.Reads] = []

        package init() {}
    }

    /// How full it is.
    package struct Figures: Sendable, Equatable {
        package var pulls = 0
        package var reads = 0
        package var refusals = 0
        package var bytes = 0
    }

    /// A batch as it is sent.
    package struct Parcel: Sendable {
        package let number: Int64
        package let body: [UInt8]
    }

    /// 32 lower-case hex digits; new for each new file.
    package let id: String
    let database: DatabaseQueue
    /// What page 0 of this run is numbered here.
    let firstPage: Int64

    private init(path: String) throws {
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.busyMode = .timeout(5)
        configuration.label = "spool"
        database = try DatabaseQueue(path: path, configuration: configuration)
        (id, firstPage) = try database.write { database in
            let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
            if version == 0 { try Self.create(in: database) }
            if version < 2 { try Self.createRefusals(in: database) }
            if version < 3 { try Self.addAddresses(in: database) }
            guard let id = try String.fetchOne(database, sql: "SELECT value FROM meta WHERE name = 'id'") else {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the spool has no id")
            }
            return (id, try Self.beginPages(in: database))
        }
    }

    /// Opens the spool and the journal that feeds it, in one folder.
    ///
    /// If the spool is damaged, both are put aside: nobody knows any more which part of the journal was counted, and
    /// nothing may be counted twice. What can't be opened just now (disk full, locked) stays: its content is not to blame.
    /// - Throws: `Unreachable`; or what a second try with an empty folder throws too.
    package static func open(
        in folder: String, segmentBytes: Int = ReadJournal.segmentBytes, logger: Logger
    ) throws -> (ReadSpool, ReadJournal) {
        do {
            return try openOnce(in: folder, segmentBytes, logger)
        } catch let error as LedgerFailure {
            throw Unreachable(folder: folder, reason: "\(error)")
        } catch let error as DatabaseError where isOfTheMachine(error) {
            throw Unreachable(folder: folder, reason: error.message ?? "\(error.resultCode)")
        } catch {
            logger.error(
                "the spool of reads can't be used: put aside with what it held, counting starts anew",
                metadata: ["folder": "\(folder)", "error": "\(error)"])
            let aside = folder + ".unusable-\(UInt64.random(in: .min ... .max))"
            guard rename(folder, aside) == 0 else {
                throw LedgerFailure(action: "put aside", path: folder, code: errno)
            }
            return try openOnce(in: folder, segmentBytes, logger)
        }
    }

    /// The system refuses the spool or its journal; what they hold stays.
    package struct Unreachable: Error, CustomStringConvertible {
        package let folder: String
        let reason: String

        package var description: String {
            "the spool of reads in \(folder) can't be opened: \(reason). Is the disk full or read-only, a file another "
                + "user's, or are too many files open? Deleting the folder of a stopped edge costs the reads that the "
                + "origin was not told of yet"
        }
    }

    /// As the catalogue tells them apart.
    private static func isOfTheMachine(_ error: DatabaseError) -> Bool {
        let codes: [ResultCode] = [
            .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_READONLY, .SQLITE_PERM,
            .SQLITE_NOMEM,
        ]
        return codes.contains(error.resultCode)
    }

    private static func openOnce(
        in folder: String, _ segmentBytes: Int, _ logger: Logger
    ) throws -> (ReadSpool, ReadJournal) {
        guard mkdir(folder, 0o750) == 0 || errno == EEXIST else {
            throw LedgerFailure(action: "make the folder", path: folder, code: errno)
        }
        let spool = try ReadSpool(path: folder + "/spool.sqlite")
        let journal = try ReadJournal(
            folder: folder, after: try spool.place(), segmentBytes: segmentBytes, logger: logger)
        return (spool, journal)
    }

    private static func create(in database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
                CREATE TABLE pulls (
                    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, repository TEXT NOT NULL, crate TEXT NOT NULL,
                    version TEXT NOT NULL, subject TEXT, bytes INTEGER NOT NULL, cache TEXT NOT NULL);
                CREATE TABLE reads (
                    day TEXT NOT NULL, repository TEXT NOT NULL, crate TEXT NOT NULL, version TEXT NOT NULL,
                    count INTEGER NOT NULL, PRIMARY KEY (day, repository, crate, version)) WITHOUT ROWID;
                CREATE TABLE outbox (number INTEGER PRIMARY KEY, body BLOB NOT NULL);
                PRAGMA user_version = 1;
                """)
        let id = (0..<4).map { _ in String(UInt64(UInt32.random(in: .min ... .max)) | 1 << 32, radix: 16).dropFirst() }
        try database.execute(
            sql: "INSERT INTO meta VALUES ('id', ?), ('segment', 0), ('offset', ?), ('batch', 0)",
            arguments: [id.joined(), JournalPlace.start.offset])
    }

    private static func addAddresses(in database: Database) throws {
        try database.execute(sql: "ALTER TABLE pulls ADD COLUMN address TEXT; PRAGMA user_version = 3;")
    }

    /// The place in the journal up to which the spool is complete.
    package func place() throws -> JournalPlace {
        try database.read { database in
            JournalPlace(
                segment: UInt64(bitPattern: try Self.meta("segment", database)),
                offset: Int(try Self.meta("offset", database)))
        }
    }

    /// Takes rows over from the journal, with the place behind the last one.
    package func save(_ rows: Rows, upTo place: JournalPlace) async throws {
        try await database.write { database in
            let insert = try database.cachedStatement(
                sql: """
                    INSERT INTO pulls (at, repository, crate, version, subject, bytes, cache, address)
                    VALUES (?,?,?,?,?,?,?,?)
                    """)
            for pull in rows.pulls {
                try insert.execute(arguments: [
                    pull.at, pull.repository, pull.crate, pull.version, pull.subject, pull.bytes, pull.cache,
                    pull.address,
                ])
            }
            try Self.add(rows.reads, database)
            try Self.setMeta("segment", Int64(bitPattern: place.segment), database)
            try Self.setMeta("offset", Int64(place.offset), database)
        }
    }

    /// The batch to send: the one that was made and not taken yet, or a new one of the oldest rows.
    ///
    /// - Returns: nil if there is nothing to tell.
    package func parcel() async throws -> Parcel? {
        try await database.write { [id] database in
            if let row = try Row.fetchOne(database, sql: "SELECT number, body FROM outbox ORDER BY number") {
                return Parcel(number: row["number"], body: Array(row["body"] as Data))
            }
            return try Self.pack(id, database)
        }
    }

    /// The origin has it.
    package func taken(_ number: Int64) async throws {
        try await database.write { database in
            try database.execute(sql: "DELETE FROM outbox WHERE number = ?", arguments: [number])
        }
    }

    private static func pack(_ id: String, _ database: Database) throws -> Parcel? {
        let pulls = try Row.fetchAll(
            database, sql: "SELECT * FROM pulls ORDER BY id LIMIT ?", arguments: [AccessBatch.rowsMax])
        let reads = try Row.fetchAll(database, sql: "SELECT * FROM reads LIMIT ?", arguments: [AccessBatch.rowsMax])
        let refusals = try refusals(in: database)
        guard !pulls.isEmpty || !reads.isEmpty || !refusals.isEmpty else { return nil }
        let number = try meta("batch", database) + 1
        let batch = AccessBatch(
            spool: id, number: number, pulls: pulls.map(pull), reads: reads.map(Self.reads),
            refusals: refusals.isEmpty ? nil : try refusals.map(Self.refusal))
        let body = try JSONEncoder().encode(batch)
        try database.execute(sql: "INSERT INTO outbox VALUES (?, ?)", arguments: [number, body])
        try setMeta("batch", number, database)
        if let last = pulls.last {
            try database.execute(sql: "DELETE FROM pulls WHERE id <= ?", arguments: [last["id"] as Int64])
        }
        let delete = try database.cachedStatement(
            sql: "DELETE FROM reads WHERE day = ? AND repository = ? AND crate = ? AND version = ?")
        for row in reads {
            try delete.execute(arguments: [row["day"], row["repository"], row["crate"], row["version"]])
        }
        if let last = refusals.last { try deleteRefusals(upTo: last, in: database) }
        return Parcel(number: number, body: Array(body))
    }

    /// Makes room: the oldest downloads become sums, so that counts stay true while the trail loses its end.
    ///
    /// - Returns: how many downloads lost their details.
    package func fold(rowsMax: Int) async throws -> Int {
        try await database.write { database in
            let rows = try Row.fetchAll(database, sql: "SELECT * FROM pulls ORDER BY id LIMIT ?", arguments: [rowsMax])
            guard let last = rows.last else { return 0 }
            let sums = rows.map(Self.pull).map {
                AccessBatch.Reads(
                    day: CalendarDay.text(ofUnix: $0.at), repository: $0.repository, crate: $0.crate,
                    version: $0.version, count: 1)
            }
            try Self.add(sums, database)
            try database.execute(sql: "DELETE FROM pulls WHERE id <= ?", arguments: [last["id"] as Int64])
            return rows.count
        }
    }

    /// Counts rows of sums: not for every request. Downloads come and go in order, so their ids have no gap.
    package func figures() async throws -> Figures {
        try await database.read { database in
            let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
            let free = try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0
            let size = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 0
            return Figures(
                pulls: try Int.fetchOne(
                    database,
                    sql: "SELECT coalesce((SELECT max(id) FROM pulls) - (SELECT min(id) FROM pulls) + 1, 0)") ?? 0,
                reads: try Int.fetchOne(database, sql: "SELECT count(*) FROM reads") ?? 0,
                refusals: try Int.fetchOne(database, sql: "SELECT count(*) FROM refusals") ?? 0,
                bytes: (pages - free) * size)
        }
    }

    /// Closes the database; what was saved stays.
    package func close() throws { try database.close() }

    private static func add(_ sums: [AccessBatch.Reads], _ database: Database) throws {
        let insert = try database.cachedStatement(
            sql: """
                INSERT INTO reads VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (day, repository, crate, version) DO UPDATE SET count = count + excluded.count
                """)
        for reads in sums {
            try insert.execute(
                arguments: [reads.day, reads.repository, reads.crate, reads.version ?? "", reads.count])
        }
    }

    private static func pull(_ row: Row) -> AccessBatch.Pull {
        AccessBatch.Pull(
            at: row["at"], repository: row["repository"], crate: row["crate"], version: row["version"],
            subject: row["subject"], bytes: row["bytes"], cache: row["cache"], address: row["address"])
    }

    private static func reads(_ row: Row) -> AccessBatch.Reads {
        let version: String = row["version"]
        return AccessBatch.Reads(
            day: row["day"], repository: row["repository"], crate: row["crate"],
            version: version.isEmpty ? nil : version, count: row["count"])
    }

    static func meta(_ name: String, _ database: Database) throws -> Int64 {
        try Int64.fetchOne(database, sql: "SELECT value FROM meta WHERE name = ?", arguments: [name]) ?? 0
    }

    static func setMeta(_ name: String, _ value: Int64, _ database: Database) throws {
        try database.execute(sql: "UPDATE meta SET value = ? WHERE name = ?", arguments: [value, name])
    }
}
