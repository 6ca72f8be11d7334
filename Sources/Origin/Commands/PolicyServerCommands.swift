import ArgumentParser
import CrateFile
import PolicyRules
import Registry
import Synchronization

struct PolicySetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Gives a repository rules in place of those that it has.",
        discussion: """
            New versions are judged by them at once, those that are there before the command ends. Stopped in the middle,
            the origin goes on.
            """)
    @Argument var repository: RepositoryName
    @Argument(help: "The policy file.") var file: String
    @OptionGroup var database: DatabaseOptions

    func run() async throws {
        let text = try PolicySource.text(file)
        let rules = PolicyChange.Rules(text: text, file: try PolicySource.parsed(file, text), path: file)
        try await PolicyChange(repository: repository, database: database).make(rules)
    }
}

struct PolicyRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Takes a repository's rules away: every version may be used again.")
    @Argument var repository: RepositoryName
    @OptionGroup var database: DatabaseOptions

    func run() async throws { try await PolicyChange(repository: repository, database: database).make(nil) }
}

/// New rules, and the judging of all that is there.
private struct PolicyChange {
    let repository: RepositoryName
    let database: DatabaseOptions

    struct Rules: Sendable {
        let text: String
        let file: PolicyFile
        let path: String
    }

    /// - Parameter rules: nil takes those away that are there.
    func make(_ rules: Rules?) async throws {
        let told = try await Interruption.stoppable { [self] in
            try await database.with { slices, _ in try await make(rules, slices) }
        }
        print(told)
    }

    private func make(_ rules: Rules?, _ slices: OriginSlices) async throws -> String {
        let repository = try await slices.repositories.require(repository)
        if let rules { PolicySource.tell(rules.file, of: rules.path, in: try await slices.place(of: repository)) }
        let number = try await slices.policies.set(rules?.text, of: repository, by: .commandLine)
        let progress = Mutex(ProgressState(noun: "versions"))
        var changed = 0
        try await ProgressMeter().showing({ progress.withLock { $0 } }) {
            while true {
                let step = try await slices.policies.judgeAnew(in: repository)
                changed += step.changed
                progress.withLock { $0.done += step.versions }
                if step.isLast || Task.isCancelled { return }
            }
        }
        let versions = progress.withLock { $0.done }
        let state = rules == nil ? "has no rules any more" : "has the rules number \(number)"
        guard !Task.isCancelled else { return "\(repository.name) \(state); the origin goes on to judge by them" }
        return "\(repository.name) \(state); \(versions) versions were judged, \(changed) decided otherwise"
    }
}

struct PolicyShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Prints a repository's rules as they were set, or the list of all it ever had.")
    @Argument var repository: RepositoryName
    @Option(help: "Rules that it had, by their number.") var number: Int?
    @Flag(help: "Lists all of them: who set them, and when.") var history = false
    @OptionGroup var database: DatabaseOptions

    func run() async throws {
        if history {
            let all = try await database.with { slices, _ in
                try await slices.policies.history(of: slices.repositories.require(repository))
            }
            let rows = all.map { stored in
                [
                    "\(stored.number)", stored.setAt, stored.setBy,
                    !stored.hasRules ? "removed" : stored.isApplied ? "applied" : "being applied",
                ]
            }
            return print(CommandOutput.table(["NUMBER", "SET", "BY", "STATE"], rows))
        }
        let text = try await database.with { slices, _ in
            try await slices.policies.text(of: slices.repositories.require(repository), number: number)
        }
        guard let text else {
            throw CommandFailure(
                Refusal.notFound(
                    "repository `\(repository)` has no rules\(number.map { " of the number \($0)" } ?? "")"))
        }
        print(text, terminator: text.hasSuffix("\n") ? "" : "\n")
    }
}

struct PolicyListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists versions about which the rules say more than `allow`.")
    @Argument var repository: RepositoryName
    @Option(help: "Only these: block, quarantine, flag, or allow (by an exception or a release). Repeatable.")
    var decision: [Decision] = []
    @Option(help: "Only of this crate.") var crate: String?
    @Option(help: "How many, at most 100000.") var limit = 1_000
    @Flag(help: "Prints JSON.") var json = false
    @OptionGroup var database: DatabaseOptions

    func validate() throws {
        guard (1...100_000).contains(limit) else { throw ValidationError("--limit takes a number from 1 to 100000") }
        if let crate { _ = try CrateName(crate) }
    }

    func run() async throws {
        let decisions = decision.isEmpty ? Decision.allCases : decision
        let found = try await database.with { slices, _ in
            try await slices.policies.standings(
                of: slices.repositories.require(repository), decisions: decisions,
                crate: crate.map { try CrateName($0) },
                limit: limit)
        }
        if json { return print(try CommandOutput.json(found)) }
        let rows = found.map { standing in
            [
                "\(standing.crate)@\(standing.version)", standing.decision.rawValue, standing.rule ?? "-",
                standing.awaitsFile ? "when its file is fetched" : standing.againAt ?? "-",
                PolicyWords.because(standing),
            ]
        }
        print(CommandOutput.table(["VERSION", "DECISION", "RULE", "AGAIN", "BECAUSE"], rows))
        if found.count == limit { CommandOutput.note("there may be more; see --limit") }
    }
}

struct PolicyExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Says what the rules decide on a version, and why.")
    @Argument var repository: RepositoryName
    @Argument(help: CrateAtVersion.help) var version: CrateAtVersion
    @Flag(help: "Prints JSON, with all facts that the rules see.") var json = false
    @OptionGroup var database: DatabaseOptions

    func run() async throws {
        let found = try await database.with { slices, _ in
            try await slices.policies.explain(
                .init(version.name, version.version), in: slices.repositories.require(repository))
        }
        if json { return print(try CommandOutput.json(found)) }
        guard let number = found.number else {
            return print("repository `\(repository)` has no rules: every version may be used")
        }
        let standing = found.standing
        print("\(standing.crate) \(standing.version): \(standing.decision.rawValue), by the rules number \(number)")
        for reason in standing.reasons {
            print("  \(reason.decision.rawValue) by `\(reason.rule)`: \(reason.reason)")
            if !reason.because.isEmpty { print("    \(reason.because)") }
        }
        for waiver in found.waivers { print("  \(PolicyWords.sentence(waiver))") }
        if standing.awaitsFile { print("  it is judged anew once its file is fetched; until then nothing is refused") }
        if standing.holdsYank { print("  its upstream yanked it, which is not followed yet") }
        if let again = standing.againAt { print("  decided again at \(again)") }
    }
}

struct PolicyReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Lets a quarantined version go.",
        discussion: """
            The rules that hold it back count no more for this version; others do. A blocked version is not released: it
            needs an exception in the rules, which has an owner and an end.
            """)
    @Argument var repository: RepositoryName
    @Argument(help: CrateAtVersion.help) var version: CrateAtVersion
    @Option(help: "Why; it is kept in the audit log.") var reason: String
    @OptionGroup var database: DatabaseOptions

    func validate() throws {
        guard (1...PolicyStore.reasonBytesMax).contains(reason.utf8.count) else {
            throw ValidationError("--reason takes 1 to \(PolicyStore.reasonBytesMax) bytes")
        }
    }

    func run() async throws {
        let standing = try await database.with { slices, _ in
            try await slices.policies.release(
                .init(version.name, version.version), in: slices.repositories.require(repository), reason: reason,
                by: .commandLine
            ).standing
        }
        let now = standing.rule.map { " by rule `\($0)`" } ?? ""
        print("\(standing.crate) \(standing.version) is released; decision now: \(standing.decision.rawValue)\(now)")
    }
}

enum PolicyWords {
    static func sentence(_ waiver: PolicyStore.Waiver) -> String {
        switch waiver.kind {
        case .exception:
            "`\(waiver.rule)` would hold, but for an exception of \(waiver.by) until \(waiver.time): \(waiver.reason)"
        case .release: "`\(waiver.rule)` would hold, but \(waiver.by) released it at \(waiver.time): \(waiver.reason)"
        }
    }

    static func because(_ standing: PolicyStore.Standing) -> String {
        guard let reason = standing.reasons.last else {
            if standing.holdsYank { return "its upstream's yank is not followed yet" }
            return standing.excepted.isEmpty
                ? "-" : "excepted or released from `\(standing.excepted.joined(separator: "`, `"))`"
        }
        return reason.because.isEmpty ? reason.reason : reason.because
    }
}

extension Decision: ExpressibleByArgument {}
