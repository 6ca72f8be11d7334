import ArgumentParser
import FoundationEssentials

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Checks the audit log, and asks it who did what.",
        discussion: """
              longshore-origin audit list --crate tidewater --since 7d
              longshore-origin audit builds tidewater@0.1.0
              longshore-origin audit verify --checkpoint checkpoints/ --public-key GxU0…
              longshore-origin audit checkpoint --out checkpoint.json

            Each line carries the hash of the one before, so a change, a gap or a swap shows. Whoever can write the tables
            can write all hashes anew: keep checkpoints and the public key (`audit key`) where they can't be reached.
            """,
        subcommands: [List.self, Builds.self, Export.self, Archive.self, Verify.self, Checkpoint.self, Key.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Walks the whole log and finds what was changed, taken away or cut off; the exit code tells.",
            discussion: """
                Exit code: 0 all is well, 1 there is a problem (one line each).
                """)
        @Option(help: "A checkpoint, or a folder of them; may be given more than once.") var checkpoint: [String] = []
        @Option(
            help: "The key of the checkpoints, as `audit key` printed it, or a file with it. Unset: the database's own."
        )
        var publicKey: [String] = []
        @Option(help: "An archive (`audit archive`); may be given more than once.") var archive: [String] = []
        @Flag(help: "Prints JSON.") var json = false
        @OptionGroup var database: DatabaseOptions

        private struct Answer: Encodable {
            let lines: Int
            let archived: Int
            let checkpoints: Int
            let head: Int64
            let hash: String
            let problems: [String]
        }

        func run() async throws {
            let checkpoints = try checkpoint.flatMap { try AuditCheckpoints.read($0) }
            let archives = try archive.map { try AuditArchiveFile(path: $0) }.sorted { $0.firstSeq < $1.firstSeq }
            let given = try publicKey.map(Self.key)
            let verdict = try await database.with { slices, config in
                let keys = given.isEmpty ? try await slices.auditKeys.publicKeys() : given
                return try await slices.auditVerifier(
                    config, keys: keys, checkpoints: checkpoints, archives: archives
                ).run()
            }
            if given.isEmpty, !checkpoints.isEmpty {
                CommandOutput.note("the keys come from the database itself; --public-key takes those that you kept")
            }
            tell(verdict)
            if verdict.problemCount > 0 { throw ExitCode(1) }
        }

        private static func key(_ text: String) throws -> AuditPublicKey {
            let written = FileManager.default.contents(atPath: text).map {
                String(decoding: $0.prefix(4096), as: UTF8.self).filter { !$0.isWhitespace }
            }
            guard let key = AuditPublicKey(text: written ?? text) else {
                throw CommandFailure("`\(text)` is no public key of a checkpoint: give what `audit key` prints")
            }
            return key
        }

        private func tell(_ verdict: AuditVerifier.Verdict) {
            if json {
                let answer = Answer(
                    lines: verdict.lines, archived: verdict.archived, checkpoints: verdict.checkpoints,
                    head: verdict.head.seq, hash: verdict.head.hash, problems: verdict.problems.map(\.description))
                if let text = try? CommandOutput.json(answer) { print(text) }
                return
            }
            for problem in verdict.problems { print("problem: \(problem)") }
            let inFiles = verdict.archived > 0 ? ", \(verdict.archived) in archives" : ""
            let problems = verdict.problemCount == 0 ? "no problem" : "\(verdict.problemCount) problems"
            print(
                "verified \(verdict.lines) lines\(inFiles), \(verdict.checkpoints) checkpoints, up to line "
                    + "\(verdict.head.seq) (\(verdict.head.hash)): \(problems)")
        }
    }

    struct Checkpoint: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Signs the end of the log as it is now; prints it, or writes it into a new file.")
        @Option(help: "The file, which must not exist yet.") var out: String?
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let checkpoint = try await database.with { slices, config in
                try await slices.auditKeys.checkpoint(try SigningSecret.findOrMake(config))
            }
            guard let out else { return print(try checkpoint.json) }
            let file = try WholeFile(path: out)
            try file.append(checkpoint.json + "\n")
            try file.keep()
            print("signed up to line \(checkpoint.seq) in \(out)")
        }
    }

    struct Key: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the public keys of checkpoints, the newest first; that one signs.")
        @Flag(help: "Makes a new key, which signs from now on.") var new = false
        @Flag(help: "Prints JSON.") var json = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let keys = try await database.with { slices, config in
                let seal = try SigningSecret.findOrMake(config)
                if new {
                    try await slices.auditKeys.make(seal, by: .commandLine)
                } else {
                    _ = try await slices.auditKeys.signer(seal)
                }
                return try await slices.auditKeys.list()
            }
            if json { return print(try CommandOutput.json(keys)) }
            print(
                CommandOutput.table(["KEY", "CREATED", "PUBLIC KEY"], keys.map { [$0.id, $0.created, $0.publicKey] }))
        }
    }
}
