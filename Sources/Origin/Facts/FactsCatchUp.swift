package import Logging
import Postgres
import Registry
package import ServiceLifecycle

/// Reads the manifests that nobody has read for facts yet, once after the start: of versions from before there were facts.
///
/// One crate file after the other, in memory. A file that is missing or can't be read leaves its facts unknown, for the log
/// and `verify` to tell; what an upstream still has is read when it is fetched.
package struct FactsCatchUp: Service {
    private static let batch = 100
    private static let pauseAfterFailure: Duration = .seconds(30)

    let facts: FactsStore
    let events: EventLog
    let audit: AuditStore
    let blobs: any BlobStore
    let logger: Logger

    package init(
        facts: FactsStore, events: EventLog, audit: AuditStore, blobs: any BlobStore, logger: Logger
    ) {
        self.facts = facts
        self.events = events
        self.audit = audit
        self.blobs = blobs
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    let read = try await catchUp()
                    if read > 0 { logger.notice("facts were read from crate files", metadata: ["versions": "\(read)"]) }
                    break
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning(
                        "facts could not be read from crate files; tried again later", metadata: ["error": "\(error)"])
                    guard (try? await Task.sleep(for: Self.pauseAfterFailure)) != nil else { return }
                }
            }
            // A service that ends would end the program.
            try? await gracefulShutdown()
        }
    }

    private struct Unread {
        let id: Int64
        let name: CrateName
        let version: Version
        let checksum: Checksum
    }

    /// - Returns: how many manifests were read.
    func catchUp() async throws -> Int {
        var read = 0
        var last: Int64 = 0
        while true {
            let versions = try await unread(after: last)
            guard let newest = versions.last else { return read }
            for version in versions where try await fill(version) { read += 1 }
            last = newest.id
        }
    }

    private func fill(_ version: Unread) async throws -> Bool {
        let manifest = ManifestInFile(blobs: blobs, logger: logger)
        guard let traits = try await manifest.traits(of: version.name, version.version, version.checksum) else {
            return false
        }
        try await facts.pool.withTransaction { transaction in
            let verdicts = try await facts.fill(traits, of: version.id, in: transaction)
            try await audit.record(verdicts.entries, in: transaction)
            if !verdicts.events.isEmpty { _ = try await events.append(verdicts.events, in: transaction) }
        }
        return true
    }

    private func unread(after last: Int64) async throws -> [Unread] {
        try await facts.pool.query(
            """
            SELECT v.id, c.name, v.number, v.checksum FROM facts f JOIN versions v ON v.id = f.version_id
              JOIN crates c ON c.id = v.crate_id
            WHERE NOT f.has_manifest AND f.origin <> 'upstream' AND f.version_id > \(last)
            ORDER BY f.version_id LIMIT \(Self.batch)
            """
        ).map { row in
            guard let checksum = Checksum(bytes: try row.value("checksum", as: [UInt8].self)) else {
                preconditionFailure("the table takes checksums of 32 bytes only")
            }
            return Unread(
                id: try row.value("id"), name: try CrateName(row.value("name", as: String.self)),
                version: try Version(row.value("number", as: String.self)), checksum: checksum)
        }
    }
}
