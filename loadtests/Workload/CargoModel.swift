import Registry

/// What one cargo asks of a sparse index while it resolves, round by round.
///
/// Pure: files in, the next round out. cargo asks for `config.json` alone, then for all direct dependencies at once; when
/// every answer of a round is in it resolves with what it has, and asks for all files that it missed. What it asks
/// therefore hangs on the versions it would choose: the newest that fits, with the features that are asked for, normal
/// and build dependencies of every platform, dev-dependencies of the root alone.
/// Source: docs/PROTOCOL.md, "Resolving".
struct CargoModel: Sendable {
    enum Step: Hashable, Sendable {
        /// Files to ask for, all at once; the next step is due when all of them are in.
        case ask([IndexPath])
        /// cargo gives up after these answers, if any: a crate or a fitting version is not there.
        case giveUp(asking: [IndexPath], reason: String)
        /// These are chosen, in the order of their names.
        case done([LockFile.Locked])
    }

    /// What a dependency on a crate that the registry does not have comes to.
    enum Missing: Hashable, Sendable {
        /// The end of the resolution, as for cargo.
        case endsIt
        /// Nothing: it is left out, so that a resolution of a real application is worth measuring on a part of its index.
        case isLeftOut
    }

    /// What says which optional dependencies are there.
    enum Guide: Hashable, Sendable {
        /// The features that the root asks for, as for cargo.
        case features
        /// The lock file, which lists what each of its packages needs: enough when there is no manifest beside it.
        case lockFile
    }

    let root: Candidate
    let lock: LockFile?
    let guide: Guide
    let missing: Missing
    /// cargo keeps what it learnt about conflicts from round to round.
    private var deadEnds = DeadEnds()

    init(root: Candidate, lock: LockFile? = nil, guide: Guide = .features, missing: Missing = .endsIt) {
        self.root = root
        self.lock = lock
        self.guide = guide
        self.missing = missing
    }

    /// - Parameter files: all answers so far; `absent` for a file that the registry does not have.
    mutating func next(knowing files: [IndexPath: IndexContents]) -> Step {
        var resolution = Resolution(self, files: files, deadEnds: deadEnds)
        let end = resolution.run()
        deadEnds = resolution.deadEnds
        switch end {
        case .failed(let dependency):
            return giveUp(dependency, resolution.asked, files)
        case .chosen(let candidates):
            guard resolution.asked.isEmpty else { return .ask(resolution.asked) }
            let chosen = candidates.map {
                LockFile.Locked(package: .init(name: $0.name, version: $0.version), checksum: $0.checksum)
            }
            return .done(
                chosen.sorted { ($0.package.name, $0.package.version) < ($1.package.name, $1.package.version) })
        }
    }

    /// Of a name without any version cargo tries the two other spellings, and sends what else it would have asked with
    /// them; without another spelling it stops, and what was about to be sent stays unsent.
    private func giveUp(
        _ dependency: IndexDependency, _ waiting: [IndexPath], _ files: [IndexPath: IndexContents]
    ) -> Step {
        let reason = "nothing fits `\(dependency.crate) = \"\(dependency.requirement)\"`"
        let path = try? CrateName(dependency.crate).indexPath
        let isAbsent = path.flatMap { files[$0] }?.versions.contains { $0.name == dependency.crate } != true
        guard isAbsent else { return .giveUp(asking: [], reason: reason) }
        let spellings = [("-", "_"), ("_", "-")].compactMap { old, new -> IndexPath? in
            let other = dependency.crate.replacing(old, with: new)
            return other == dependency.crate ? nil : try? CrateName(other).indexPath
        }
        let news = spellings.filter { files[$0] == nil && !waiting.contains($0) }
        return .giveUp(asking: news.isEmpty ? [] : waiting + news, reason: reason)
    }
}
