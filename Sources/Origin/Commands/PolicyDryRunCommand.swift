import ArgumentParser
import CrateFile
import PolicyRules
import Registry
import Synchronization

struct PolicyDryRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dry-run", abstract: "Says what rules would change in a repository, and which builds would stop.",
        discussion: """
              longshore-origin policy dry-run main rules/policy.toml
              longshore-origin policy dry-run main rules/policy.toml --lock app/Cargo.lock --lock tool/Cargo.lock
              longshore-origin policy dry-run main rules/policy.toml --stored-locks

            Nothing is changed. Exit code: 0, or 1 if a build that is locked by one of the lock files would stop.
            """)
    @Argument var repository: RepositoryName
    @Argument(help: "The policy file.") var file: String
    @Option(help: "A Cargo.lock whose registry packages are looked for in the repository. Repeatable.")
    var lock: [String] = []
    @Flag(help: "Asks the lock files that the repository keeps, too (`lock-file list`).") var storedLocks = false
    @Flag(help: "Prints JSON.") var json = false
    @OptionGroup var database: DatabaseOptions

    func run() async throws {
        let policy = try PolicySource.policy(file)
        var locks: [String: CargoLock] = [:]
        for path in lock {
            locks[path] = try InputFile.parsed(path, bytesMax: PolicyStore.bytesMax) {
                text throws(CargoLock.Invalid) in try CargoLock(parsing: text)
            }
        }
        let (database, repository, held, storedLocks, path) = (database, repository, locks, storedLocks, file)
        let (run, kept) = try await Interruption.stoppable {
            try await database.with { slices, _ in
                let repository = try await slices.repositories.require(repository)
                PolicySource.tell(policy, of: path, in: try await slices.place(of: repository))
                let stored = storedLocks ? slices.lockFiles : nil
                let progress = Mutex(ProgressState(noun: "versions"))
                let run = try await ProgressMeter().showing({ progress.withLock { $0 } }) {
                    try await slices.policies.dryRun(policy, in: repository, locks: held, stored: stored) { done in
                        progress.withLock { $0.done = done }
                    }
                }
                return (run, try await stored?.count(in: repository) ?? 0)
            }
        }
        try tell(run, kept: kept)
        if !run.stops.isEmpty { throw ExitCode(1) }
    }

    private struct Report: Encodable {
        let versions: Int
        let counts: [String: Int]
        /// How many of the changes wait for the version's file.
        let awaiting: Int
        let changes: [DryRun.Change]
        let stops: [DryRun.Stop]
        /// Lock files that were asked, those of the command line and those that the repository keeps.
        let locks: Int
    }

    private func tell(_ run: DryRun, kept: Int) throws {
        let locks = Set(lock).count + kept
        if json {
            let report = Report(
                versions: run.versions, counts: run.counts, awaiting: run.awaiting, changes: run.changes,
                stops: run.stops, locks: locks)
            return print(try CommandOutput.json(report))
        }
        let rows = run.changes.map { change in
            [
                "\(change.crate)@\(change.version)", change.was.rawValue, change.becomes.rawValue, change.rule ?? "-",
                change.because ?? "-",
            ]
        }
        if !rows.isEmpty { print(CommandOutput.table(["VERSION", "WAS", "BECOMES", "RULE", "BECAUSE"], rows)) }
        let total = run.counts.values.reduce(0, +)
        if total > rows.count { CommandOutput.note("the first \(rows.count) of \(total) changes") }
        for (change, count) in run.counts.sorted(by: { $0.key < $1.key }) { print("\(change): \(count)") }
        let awaiting =
            run.awaiting > 0 ? ", \(run.awaiting) of them only if their files, once fetched, say so" : ""
        print("\(run.versions) versions judged, \(total) decided otherwise\(awaiting)")
        for stop in run.stops {
            let since = stop.isRefusedNow ? " (as it does now)" : ""
            print("\(stop.lock)\(stop.isStored ? " (stored)" : "") would stop\(since): \(stop.refusal)")
        }
        if !lock.isEmpty || storedLocks, run.stops.isEmpty {
            print("no build of \(locks == 1 ? "this lock file" : "these \(locks) lock files") would stop")
        }
    }
}
