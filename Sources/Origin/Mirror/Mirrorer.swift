import Registry
import Synchronization

/// Fetches index files and crate files through a repository's upstreams before anybody asks for them.
///
/// What is there is not fetched again, so a run that was stopped is just run again. Crates of our own are passed over,
/// but what they depend on is followed like everything else.
struct Mirrorer: Sendable {
    static let cratesAtOnce = 16
    static let filesAtOnce = 8

    let repository: Repository
    let desk: UpstreamDesk
    let stored: StoredCrates
    let blobs: any BlobStore
    let report: MirrorReport
    let followsDependencies: Bool
    let takesOptional: Bool
    /// Between tries, while an upstream gives no useful answer or asks to be left alone.
    let pauses: [Duration]
    private let files: Gate
    private let done = Done()

    init(
        repository: Repository, desk: UpstreamDesk, stored: StoredCrates, blobs: any BlobStore, report: MirrorReport,
        followsDependencies: Bool, takesOptional: Bool, pauses: [Duration] = [.seconds(2), .seconds(10), .seconds(30)]
    ) {
        self.repository = repository
        self.desk = desk
        self.stored = stored
        self.blobs = blobs
        self.report = report
        self.followsDependencies = followsDependencies
        self.takesOptional = takesOptional
        self.pauses = pauses
        files = Gate(
            insideMax: Self.filesAtOnce, waitingMax: Self.cratesAtOnce * Self.filesAtOnce, of: "mirrored files")
    }

    /// Level by level, as dependencies become known.
    ///
    /// - Throws: what stops everything: the database, the disk, cancellation. What is missing is reported.
    func run(_ plan: MirrorPlan) async throws {
        var plan = plan
        while true {
            let steps = plan.next()
            if steps.isEmpty { return }
            let found = Mutex<[(CrateName, MirrorWant)]>([])
            try await forEach(steps, atOnce: Self.cratesAtOnce) { step in
                let wants = try await take(step)
                found.withLock { $0 += wants }
            }
            for (name, want) in found.withLock({ $0 }) { plan.add(name, want) }
        }
    }

    /// - Returns: what the chosen versions depend on.
    private func take(_ step: MirrorPlan.Step) async throws -> [(CrateName, MirrorWant)] {
        let fault = try await settle(step.name)
        guard let crate = try await stored.crate(named: step.name, in: repository), !crate.versions.isEmpty else {
            noteAbsent(step, fault)
            return []
        }
        if let fault { report.missing(step.name.spelling, "(index)", "what is held may be old: \(fault)") }
        let choice = MirrorChoice(step.wants, among: crate.versions.compactMap(MirrorVersion.init))
        for objection in choice.objections { report.missing(crate.name, objection.what, objection.cause) }
        let isOwn = crate.versions.contains { !$0.isProxied }
        let name = try CrateName(crate.name)
        let (versions, isFirst) = done.new(choice.versions, of: name)
        report.note {
            $0.crates += isFirst ? 1 : 0
            $0.versions += versions.count
        }
        try await forEach(versions, atOnce: Self.filesAtOnce) { version in
            if isOwn { return report.note { $0.own += 1 } }
            if let refusal = version.refusal { return report.missing(crate.name, "\(version.version)", refusal) }
            if version.isHere { return report.note { $0.present += 1 } }
            try await files.pass { try await fetch(name, version) }
        }
        guard followsDependencies else { return [] }
        return versions.flatMap { $0.line?.mirrorWants(takesOptional: takesOptional) ?? [] }
    }

    private func noteAbsent(_ step: MirrorPlan.Step, _ fault: String?) {
        let isMissed = step.wants.contains {
            if case .matching(_, isOptional: true) = $0 { false } else { true }
        }
        guard isMissed || fault != nil else { return }
        report.missing(step.name.spelling, "(crate)", fault ?? "no upstream that may be asked for it has it")
    }

    /// - Returns: why an upstream could not be asked; nil if what is held is what they say.
    private func settle(_ name: CrateName) async throws -> String? {
        var fault = try await desk.settle(name, in: repository)
        for pause in pauses where fault != nil {
            try await Task.sleep(for: pause)
            fault = try await desk.settle(name, in: repository)
        }
        return fault
    }

    private func fetch(_ name: CrateName, _ version: MirrorVersion) async throws {
        for pause in pauses.map(Optional.some) + [nil] {
            do {
                try await desk.bring(name, version.version, version.checksum, in: repository, to: blobs)
                // Counted first: a run that is being stopped waits for files under way, and can't ask for their size then.
                report.note { $0.fetched += 1 }
                let bytes = try await blobs.size(version.checksum) ?? 0
                return report.note { $0.bytes += bytes }
            } catch let refusal as Refusal {
                guard let pause else {
                    let cause = try await desk.store.fault(of: name, in: repository) ?? refusal.detail
                    return report.missing(name.spelling, "\(version.version)", cause)
                }
                try await Task.sleep(for: pause)
            }
        }
    }
}

/// Versions that were looked at: another dependency on one of them changes nothing.
private final class Done: Sendable {
    private let versions = Mutex<[String: Set<Version>]>([:])

    /// - Returns: those that are new, and whether the crate is.
    func new(_ chosen: [MirrorVersion], of name: CrateName) -> (versions: [MirrorVersion], isFirst: Bool) {
        versions.withLock { versions in
            let isFirst = versions[name.lowered] == nil
            let new = chosen.filter { versions[name.lowered, default: []].insert($0.version).inserted }
            return (new, isFirst && !new.isEmpty)
        }
    }
}

extension MirrorVersion {
    /// - Returns: nil for a row that `verify` has to tell of.
    init?(_ stored: StoredCrate.Version) {
        guard let version = try? Version(stored.number), let checksum = Checksum(bytes: stored.checksum) else {
            return nil
        }
        self.init(
            version: version, checksum: checksum, isYanked: stored.isYanked,
            isHere: !stored.isProxied || stored.bytes > 0,
            refusal: stored.refusal, line: try? IndexLine(parsing: stored.line))
    }
}
