import Registry

/// One run of a resolver like cargo's over the index files that are known.
///
/// cargo runs its resolver from the start whenever a round of answers is in. A dependency whose file is not known yet is
/// noted, to be asked for, and left out as if it were not there. So each run may choose differently than the one before,
/// and what a run asks for depends on the order in which it chooses: fewest candidates first, newest version first,
/// back to an earlier choice when nothing fits. Behaviour as of cargo 1.95 (`core/resolver`).
struct Resolution {
    /// Far beyond what real graphs need.
    static let choicesMax = 50_000

    enum End {
        case chosen([Candidate])
        /// Nothing fits this dependency, whatever else is chosen.
        case failed(IndexDependency)
    }

    private struct Lookup: Hashable {
        let crate: String
        let requirement: String
        let locked: Version?
    }

    private struct Activation: Hashable {
        let candidate: ObjectIdentifier
        let features: [String]
        let usesDefaults: Bool
    }

    /// A choice that can be taken back.
    private struct Crossroads {
        let activations: Activations
        let waiting: OpenDependencies
        var queue: CandidateQueue
        let parent: Candidate
        let open: OpenDependency
        var obstacles: [Candidate]
        /// Known to come to nothing, and gone on with only to find what cargo would name as the reason.
        var isHopeless = false
    }

    private let root: Candidate
    private let lock: LockFile?
    private let guide: CargoModel.Guide
    private let missing: CargoModel.Missing
    private let files: [IndexPath: IndexContents]
    /// What has to be asked, in the order in which it was looked for.
    private(set) var asked: [IndexPath] = []

    private var activations = Activations()
    private var waiting = OpenDependencies()
    private var crossroads: [Crossroads] = []
    private var found: [Lookup: [Candidate]] = [:]
    private var opened: [Activation: (used: Set<String>, open: [OpenDependency])] = [:]
    /// What was learnt, in the runs before too.
    private(set) var deadEnds: DeadEnds

    init(_ model: CargoModel, files: [IndexPath: IndexContents], deadEnds: DeadEnds) {
        root = model.root
        lock = model.lock
        guide = model.guide
        missing = model.missing
        self.files = files
        self.deadEnds = deadEnds
    }

    mutating func run() -> End {
        _ = activations.choose(root, features: [], usesDefaults: true)
        let choice = FeatureChoice(all: root.features)
        activations.add(choice.features, to: root)
        waiting.add(open(root, choice, withDev: true), of: root)
        var choices = 0
        while let next = waiting.next() {
            choices += 1
            guard choices <= Self.choicesMax else { return .failed(next.open.dependency) }
            let isHopeless = next.isHopeless && deadEnds.holds(next.open.dependency, beside: activations)
            if let unmet = fulfil(next.open, of: next.parent, isHopeless: isHopeless) { return .failed(unmet) }
        }
        return .chosen(activations.candidates.filter { $0 !== root })
    }
}

// MARK: - Choosing

extension Resolution {
    /// - Returns: nil, or if no earlier choice is left to take back the dependency that nothing fitted last: it may be that
    ///   of an earlier choice, and cargo names that one.
    private mutating func fulfil(
        _ open: OpenDependency, of parent: Candidate, isHopeless: Bool
    ) -> IndexDependency? {
        var place = Crossroads(
            activations: activations, waiting: waiting, queue: CandidateQueue(open.candidates), parent: parent,
            open: open, obstacles: [], isHopeless: isHopeless)
        var wentBack = false
        while true {
            var next = place.queue.next(beside: activations, &place.obstacles)
            if next == nil {
                if !wentBack, !isHopeless { deadEnds.note(place.open.dependency, place.obstacles) }
                guard let earlier = goBack(from: place, wentBack: wentBack) else { return place.open.dependency }
                place = earlier
                (activations, waiting) = (earlier.activations, earlier.waiting)
                wentBack = true
                next = place.queue.next(beside: activations, &place.obstacles)
            }
            guard let (candidate, hasAnother) = next else { return place.open.dependency }
            let before = activations
            if choose(candidate, at: &place, isLast: !hasAnother, wentBack: wentBack) {
                if hasAnother {
                    crossroads.append(
                        Crossroads(
                            activations: before, waiting: place.waiting, queue: place.queue, parent: place.parent,
                            open: place.open, obstacles: place.obstacles))
                }
                return nil
            }
            activations = before
        }
    }

    /// - Returns: false if the candidate can't be taken; what stands in the way is among the obstacles then.
    private mutating func choose(
        _ candidate: Candidate, at place: inout Crossroads, isLast: Bool, wentBack: Bool
    ) -> Bool {
        let open = place.open
        let usesDefaults = open.dependency.usesDefaultFeatures
        if activations.choose(candidate, features: open.features, usesDefaults: usesDefaults) { return true }
        let key = Activation(candidate: candidate.id, features: open.features, usesDefaults: usesDefaults)
        if opened[key] == nil {
            let choice = FeatureChoice(candidate.features, asked: open.features, usesDefaults: usesDefaults)
            guard let choice else {
                place.obstacles.append(place.parent)
                return false
            }
            opened[key] = (choice.features, self.open(candidate, choice, withDev: false))
        }
        guard let (used, siblings) = opened[key] else { return false }
        activations.add(used, to: candidate)
        if let inTheWay = deadEnds.obstacles(to: siblings, waiting, beside: activations, with: candidate) {
            place.obstacles += inTheWay
            guard isLast, place.isHopeless || !canGoBack(from: place, wentBack: wentBack) else { return false }
            // Nothing will help any more. cargo goes on to the dependency that is to blame.
            crossroads = []
            waiting.add(siblings, of: candidate, isHopeless: true)
            return true
        }
        waiting.add(siblings, of: candidate)
        return true
    }

    private func canGoBack(from place: Crossroads, wentBack: Bool) -> Bool {
        var copy = self
        return copy.goBack(from: place, wentBack: wentBack) != nil
    }

    /// Back to the newest choice that can change anything: all that is in the way was not yet chosen then.
    private mutating func goBack(from place: Crossroads, wentBack: Bool) -> Crossroads? {
        let inTheWay = place.obstacles + [place.parent]
        guard !wentBack, let age = activations.age(of: inTheWay) else { return crossroads.popLast() }
        while let last = crossroads.popLast() {
            if last.activations.age < age { return last }
        }
        return nil
    }
}

// MARK: - Looking up

extension Resolution {
    private mutating func open(_ candidate: Candidate, _ choice: FeatureChoice, withDev: Bool) -> [OpenDependency] {
        var siblings: [OpenDependency] = []
        for dependency in candidate.dependencies where withDev || dependency.kind != .dev {
            let wanted = choice.dependencies[dependency.name]
            guard isThere(dependency, of: candidate, isWanted: wanted != nil) else { continue }
            // While its file is not known the dependency is left out; the next run will know it.
            guard let candidates = look(for: dependency, of: candidate) else { continue }
            let features = (wanted ?? []).union(dependency.features).sorted()
            siblings.append(OpenDependency(dependency, candidates, features: features))
        }
        return siblings.enumerated()
            .sorted { ($0.element.candidates.count, $0.offset) < ($1.element.candidates.count, $1.offset) }
            .map(\.element)
    }

    private func isThere(_ dependency: IndexDependency, of parent: Candidate, isWanted: Bool) -> Bool {
        guard dependency.registry == nil else { return false }
        switch guide {
        case .features: return !dependency.isOptional || isWanted
        case .lockFile: return lock?.pin(of: dependency, in: parent, isRoot: parent === root) != nil
        }
    }

    private mutating func look(for dependency: IndexDependency, of parent: Candidate) -> [Candidate]? {
        let locked = lock?.version(of: dependency, in: parent, isRoot: parent === root)
        let key = Lookup(
            crate: dependency.crate, requirement: dependency.requirement.description, locked: locked)
        if let candidates = found[key] { return candidates }
        guard let path = try? CrateName(dependency.crate).indexPath else { return [] }
        guard let file = files[path] else {
            if !asked.contains(path) { asked.append(path) }
            return nil
        }
        if file.versions.isEmpty, missing == .isLeftOut { return nil }
        let fitting = file.versions.filter { version in
            version.name == dependency.crate
                && (locked.map { $0 == version.version } ?? dependency.requirement.matches(version.version))
                && (!version.isYanked || lock?.holds(version) == true)
        }
        // Those of the lock file first; else the newest stays first.
        let candidates = fitting.filter { lock?.holds($0) == true } + fitting.filter { lock?.holds($0) != true }
        found[key] = candidates
        return candidates
    }
}
