import ArgumentParser
import FoundationEssentials

extension AuditCommand {
    struct Archive: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Moves lines that are older than so many days into a file that still verifies.",
            discussion: """
                  longshore-origin audit archive --keep-days 400 --to audit-2026.jsonl
                  longshore-origin audit verify --archive audit-2026.jsonl --public-key GxU0…

                JSON lines as in an export, and at the end a signed checkpoint. Needs the role that owns the tables
                (`database-owner-url`, if that is another than the server's). Lines that an export or a webhook has not
                got yet stay: `audit export --forget NAME` ends one that is not used any more.
                """)
        @Option(help: "Lines that are younger stay in the table.") var keepDays: Int
        @Option(help: "The file, which must not exist yet.") var to: String
        @OptionGroup var database: DatabaseOptions

        func validate() throws {
            guard (0...36_500).contains(keepDays) else { throw ValidationError("--keep-days takes 0 to 36500") }
        }

        func run() async throws {
            let now = Int(Date.now.timeIntervalSince1970)
            guard let before = AuditTime("\(keepDays)d", now: now) else {
                throw ValidationError("--keep-days leads too far back")
            }
            let moved = try await database.withOwner { slices, config, owner in
                let lowest = [
                    try await ExportCursors(pool: slices.pool).lowest(), try await slices.webhooks.lowest(),
                ].compactMap(\.self).min()
                return try await AuditArchiver(
                    trail: slices.auditTrail, keys: slices.auditKeys, owner: owner,
                    seal: try SigningSecret.findOrMake(config)
                ).archive(before: before, needed: lowest, to: to)
            }
            guard let moved else { return print("nothing to archive") }
            print("moved lines \(moved.first) to \(moved.last) into \(to)")
        }
    }
}
