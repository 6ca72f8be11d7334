import ArgumentParser
import HTTPTypes
import PolicyRules
import Registry

/// Who has a version already: the decision, the downloads and the lock files in one answer.
struct PolicyReachCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reach",
        abstract: "Says how far a version got: what is decided on it, who fetched it, which lock files hold it.",
        discussion: """
              longshore-origin policy reach main smallvec@1.6.0

            Who fetched it: the token, the edge, how often, first and last time, as far back as `pull-days`. Lock files: those
            that builds put with `lock-file put` or over HTTP. It answers for versions that are gone, too.
            """)
    @Argument var repository: RepositoryName
    @Argument(help: CrateAtVersion.help) var version: CrateAtVersion
    @Flag(help: "Prints JSON.") var json = false
    @OptionGroup var database: DatabaseOptions

    private struct Report: Encodable, Sendable {
        let repository: String
        let crate: String
        let version: String
        /// Of the rules; nil: there are none, or there is no such version (any more).
        let number: Int?
        /// Nil: the repository has no such version (any more).
        let standing: PolicyStore.Standing?
        let builds: [ReadStore.Build]
        /// Downloads of which only the number is known.
        let nameless: Int
        let lockFiles: [LockFileStore.Holder]

        private enum CodingKeys: String, CodingKey {
            case repository, crate, version, number, standing, builds, nameless
            case lockFiles = "lock_files"
        }
    }

    func run() async throws {
        let report = try await database.with { slices, _ in try await gather(slices) }
        if json { return print(try CommandOutput.json(report)) }
        tell(report)
    }

    private func gather(_ slices: OriginSlices) async throws -> Report {
        let repository = try await slices.repositories.require(repository)
        let (crate, number) = (version.name, version.version)
        let builds = try await slices.reads.builds(of: crate, number, in: repository.name)
        let holders = try await slices.lockFiles.holders(of: crate, number, in: repository)
        var explanation: PolicyStore.Explanation?
        do {
            explanation = try await slices.policies.explain(.init(crate, number), in: repository)
        } catch let refusal as Refusal where refusal.status == .notFound {
            // Gone, and perhaps for a reason: who has it is still worth knowing.
            if builds.builds.isEmpty, builds.nameless == 0, holders.isEmpty { throw refusal }
        }
        return Report(
            repository: repository.name.description, crate: explanation?.standing.crate ?? crate.spelling,
            version: explanation?.standing.version ?? number.description, number: explanation?.number,
            standing: explanation?.standing, builds: builds.builds, nameless: builds.nameless, lockFiles: holders)
    }

    private func tell(_ report: Report) {
        print(decision(report))
        for reason in report.standing?.reasons ?? [] {
            let because = reason.because.isEmpty ? "" : " (\(reason.because))"
            print("  \(reason.decision.rawValue) by `\(reason.rule)`: \(reason.reason)\(because)")
        }
        print("\nfetched by\(report.builds.isEmpty ? ": nobody that is known" : "")")
        if !report.builds.isEmpty {
            let rows = report.builds.map { build in
                [
                    build.login ?? "(anonymous)", build.token.map { "\($0) (\(build.name ?? "unknown"))" } ?? "-",
                    build.edge ?? "(origin)", build.address ?? "-", "\(build.count)", build.first, build.last,
                ]
            }
            print(CommandOutput.table(["LOGIN", "TOKEN", "EDGE", "FROM", "COUNT", "FIRST", "LAST"], rows))
        }
        if report.nameless > 0 {
            print(
                "and \(report.nameless) downloads of which only the number is known (older than `pull-days`, or a full spool)"
            )
        }
        print("\nheld by stored lock files\(report.lockFiles.isEmpty ? ": none" : "")")
        guard !report.lockFiles.isEmpty else { return }
        let rows = report.lockFiles.map { holder in
            [
                holder.name, holder.owner, holder.token.map { "\(holder.putBy) (token \($0))" } ?? holder.putBy,
                holder.seen, Self.words(holder.file),
            ]
        }
        print(CommandOutput.table(["LOCK FILE", "OWNER", "PUT BY", "SEEN", "FILE"], rows))
    }

    private func decision(_ report: Report) -> String {
        let subject = "\(report.crate) \(report.version)"
        guard let standing = report.standing else {
            return "\(subject): repository `\(report.repository)` does not have it (any more)"
        }
        guard let number = report.number else {
            return "\(subject): allow, since repository `\(report.repository)` has no rules"
        }
        return "\(subject): \(standing.decision.rawValue), by the rules number \(number)"
    }

    private static func words(_ file: LockFileStore.SameFile) -> String {
        switch file {
        case .same: "this one"
        case .another: "another of this name, from elsewhere"
        case .unknown: "unknown"
        }
    }
}
