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

        /// Who reads the log besides, how far each is, and how to be rid of it.
        private static func readers(_ slices: OriginSlices) async throws -> [(name: String, seq: Int64)] {
            let exports = try await ExportCursors(pool: slices.pool).list().map { export in
                (
                    name: "the export `\(export.name)`, which is at line \(export.seq); if it is no longer used: "
                        + "audit export --forget '\(export.name)'",
                    seq: export.seq
                )
            }
            guard let webhooks = try await slices.webhooks.lowest() else { return exports }
            return exports + [(name: "a webhook, which is at line \(webhooks); see: webhook list", seq: webhooks)]
        }

        func run() async throws {
            let now = Int(Date.now.timeIntervalSince1970)
            guard let before = AuditTime("\(keepDays)d", now: now) else {
                throw ValidationError("--keep-days leads too far back")
            }
            let (moved, held) = try await database.withOwner { slices, config, owner in
                let readers = try await Self.readers(slices)
                let archiver = AuditArchiver(
                    trail: slices.auditTrail, keys: slices.auditKeys, owner: owner,
                    seal: try SigningSecret.findOrMake(config))
                let needed = readers.map(\.seq).min()
                let moved = try await archiver.archive(before: before, needed: needed, to: to)
                let lines = try await archiver.held(before: before, needed: needed)
                return (moved, lines.map { lines in (lines, readers.filter { $0.seq < lines.upperBound }) })
            }
            if let (lines, readers) = held {
                CommandOutput.note("lines \(lines.lowerBound) to \(lines.upperBound) are old enough, and stay for")
                for reader in readers { CommandOutput.note("  \(reader.name)") }
            }
            guard let moved else { return print("nothing to archive") }
            print("moved lines \(moved.first) to \(moved.last) into \(to)")
        }
    }
}
