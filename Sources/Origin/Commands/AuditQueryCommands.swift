import ArgumentParser
import FoundationEssentials
import Registry

extension AuditCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tells who did what, when and from where; the newest first.",
            discussion: """
                  longshore-origin audit list --crate tidewater --since 7d
                  longshore-origin audit list --action access.refused --limit 20
                  longshore-origin audit list --after 0 --json      all lines from the first on, as they are exported

                Times: 2026-11-25, 2026-11-25T08:18:06Z, or 36h for so long ago.
                """)
        @Option(help: "Only in this repository.") var repository: String?
        @Option(help: "Only about this crate.") var crate: String?
        @Option(help: "Only about this version of the crate.") var version: String?
        @Option(help: "Only by this login, or by `command line`, `edge eu`, …") var actor: String?
        @Option(help: "Only by the token of this id, as in `token list`.") var token: Int64?
        @Option(help: "Only this action, such as publish, yank, token.create, access.refused.") var action: String?
        @Option(help: "Only from this time on.") var since: String?
        @Option(help: "Only before this time.") var until: String?
        @Option(help: "Only lines behind this number, the oldest first.") var after: Int64?
        @Option(help: "Only lines before this number.") var before: Int64?
        @Option(help: "How many, at most \(AuditFilter.limitMax).") var limit = 50
        @Flag(help: "Prints JSON, one line each.") var json = false
        @OptionGroup var database: DatabaseOptions

        func validate() throws {
            guard (1...AuditFilter.limitMax).contains(limit) else {
                throw ValidationError("--limit takes a number from 1 to \(AuditFilter.limitMax)")
            }
            if let problem = try filter().problem { throw ValidationError(problem) }
        }

        private func filter() throws -> AuditFilter {
            AuditFilter(
                repository: repository, crate: try crate.map { try CrateName($0) }, version: version, actor: actor,
                token: token, action: action, since: try Self.time(since), until: try Self.time(until), after: after,
                before: before, limit: limit)
        }

        private static func time(_ text: String?) throws -> AuditTime? {
            guard let text else { return nil }
            guard let time = AuditTime(text, now: Int(Date.now.timeIntervalSince1970)) else {
                throw ValidationError("`\(text)` is no time; write 2026-11-25, 2026-11-25T08:18:06Z or 36h")
            }
            return time
        }

        func run() async throws {
            let filter = try filter()
            let lines = try await database.with { slices, _ in try await slices.auditTrail.list(filter) }
            if lines.isEmpty, let problem = action.flatMap(AuditActions.problem) { CommandOutput.note(problem) }
            if json {
                for line in lines { print(line.json) }
                return
            }
            print(
                CommandOutput.table(
                    ["LINE", "TIME", "ACTOR", "ACTION", "WHAT", "FROM", "DETAIL"], lines.map(Self.cells)))
        }

        private static func cells(_ line: AuditLine) -> [String] {
            let actor = line.token.map { "\(line.actor) (token \($0))" } ?? line.actor
            let what = [line.repository, line.crate, line.version].compactMap(\.self).joined(separator: " ")
            let detail =
                (line.rule.map { ["rule=\($0)"] } ?? [])
                + line.detail.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                + (line.request.map { ["request=\($0)"] } ?? [])
            return [
                "\(line.seq)", String(line.at.prefix(19)) + "Z", actor, line.action, what.isEmpty ? "-" : what,
                line.address ?? "-", detail.joined(separator: " "),
            ]
        }
    }

    struct Builds: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tells which builds pulled a version: token, edge, from where, how often, first and last time.",
            discussion: """
                  longshore-origin audit builds tidewater@0.1.0
                """)
        @Argument(help: CrateAtVersion.help) var crate: CrateAtVersion
        @Option(help: "Only from this repository.") var repository: RepositoryName?
        @Flag(help: "Prints JSON.") var json = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let found = try await database.with { slices, _ in
                try await slices.reads.builds(of: crate.name, crate.version, in: repository)
            }
            if json { return print(try CommandOutput.json(found)) }
            let rows = found.builds.map { build in
                [
                    build.repository, build.login ?? "-",
                    build.token.map { "\($0) (\(build.name ?? "unknown"))" } ?? "-",
                    build.edge ?? "(origin)", build.address ?? "-", "\(build.count)", build.first, build.last,
                ]
            }
            print(
                CommandOutput.table(["REPOSITORY", "LOGIN", "TOKEN", "EDGE", "FROM", "COUNT", "FIRST", "LAST"], rows))
            if found.nameless > 0 {
                CommandOutput.note(
                    "\(found.nameless) more downloads are known by their number only: they are older than `pull-days`, or "
                        + "an edge's spool was full")
            }
        }
    }
}
