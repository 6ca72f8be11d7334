import ArgumentParser
import FoundationEssentials

extension ExportFormat: ExpressibleByArgument {}

extension AuditCommand {
    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sends the log to a file, standard output or an https address; goes on where it stopped.",
            discussion: """
                  longshore-origin audit export --to audit.jsonl
                  longshore-origin audit export --to https://siem.example/intake --format ecs --name siem
                  longshore-origin audit export --to - | jq .action
                  longshore-origin audit export --list

                Each named export has a place of its own in the log; unset, the name is that of the place it goes to, and
                standard output begins anew each time. Each line goes at least once: after a failure some may come twice,
                with the same `seq`. LONGSHORE_AUDIT_EXPORT_AUTHORIZATION is sent as `Authorization`.
                """)
        @Option(help: "A file that is appended to, `-`, or an https address that takes POSTs of JSON lines.") var to:
            String?
        @Option(help: "jsonl: as the hashes are made; ecs: Elastic Common Schema.") var format: ExportFormat = .jsonl
        @Option(help: "What the export is called, to go on with later.") var name: String?
        @Option(help: "A new export begins behind this line.") var after: Int64 = 0
        @Flag(help: "Shows how far each export is.") var list = false
        @Option(help: "Forgets the export of this name; archives need not wait for it then.") var forget: String?
        @OptionGroup var database: DatabaseOptions

        func validate() throws {
            guard [to != nil, list, forget != nil].count(where: { $0 }) == 1 else {
                throw ValidationError("give one of --to, --list and --forget")
            }
            if let name, !(1...64).contains(name.utf8.count) {
                throw ValidationError("--name takes 1 to 64 characters")
            }
        }

        func run() async throws {
            let told = try await Interruption.stoppable { [self] in
                try await database.with { slices, config in try await perform(slices, config) }
            }
            if let told { CommandOutput.note(told) }
        }

        private func perform(_ slices: OriginSlices, _ config: OriginConfig) async throws -> String? {
            let cursors = ExportCursors(pool: slices.pool)
            if list {
                let rows = try await cursors.list().map { [$0.name, "\($0.seq)", $0.updated] }
                print(CommandOutput.table(["EXPORT", "UP TO LINE", "AT"], rows))
                return nil
            }
            if let forget {
                guard try await cursors.forget(forget, by: .commandLine) else {
                    throw Refusal.notFound("there is no export `\(forget)`; `audit export --list` shows them all")
                }
                return "forgot the export \(forget)"
            }
            guard let to else { return nil }
            let sink = try ExportSink(to, authorization: config.auditExportAuthorization)
            if sink == .standardOutput, name == nil {
                return "exported \(try await printAll(slices.auditTrail)) lines"
            }
            let exporter = AuditExporter(
                trail: slices.auditTrail, cursors: cursors, name: name ?? String(to.prefix(64)), format: format,
                sink: sink, holder: "command \(UUID().uuidString)", beginsAfter: after)
            let sent = try await exporter.run { CommandOutput.note($0) }
            return "exported \(sent) lines to \(to)"
        }

        private func printAll(_ trail: AuditTrail) async throws -> Int {
            let end = try await trail.head().seq
            var (seq, count) = (after, 0)
            while true {
                let lines = try await trail.lines(after: seq, upTo: end)
                for line in lines { print(try format.text(line)) }
                guard let last = lines.last else { return count }
                (seq, count) = (last.seq, count + lines.count)
            }
        }
    }
}
