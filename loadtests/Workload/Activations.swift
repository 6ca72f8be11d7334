import Registry

/// What a resolution has chosen so far. A value, so that going back is taking an older one.
struct Activations: Sendable {
    /// Grows with each choice.
    private(set) var age = 0
    private var chosen: [CompatibleLine: (candidate: Candidate, age: Int)] = [:]
    private var links: [String: Candidate] = [:]
    private var features: [ObjectIdentifier: Set<String>] = [:]

    var candidates: [Candidate] { chosen.values.map(\.candidate) }

    /// Why a candidate can't be chosen beside what is: the choice in its way.
    func obstacle(to candidate: Candidate) -> Candidate? {
        if let other = chosen[candidate.line]?.candidate, other !== candidate { return other }
        if let link = candidate.links, let other = links[link], other !== candidate { return other }
        return nil
    }

    /// - Returns: true if it was chosen before, with these features at least.
    mutating func choose(_ candidate: Candidate, features asked: [String], usesDefaults: Bool) -> Bool {
        age += 1
        guard chosen[candidate.line] != nil else {
            if let link = candidate.links { links[link] = candidate }
            chosen[candidate.line] = (candidate, age)
            return false
        }
        let had = features[candidate.id] ?? []
        let hasDefaults =
            !usesDefaults || had.contains("default") || candidate.features.values["default"] == nil
        return hasDefaults && asked.allSatisfy(had.contains)
    }

    mutating func add(_ used: Set<String>, to candidate: Candidate) {
        if !used.isEmpty { features[candidate.id, default: []].formUnion(used) }
    }

    /// When the candidate was chosen; nil if it is not.
    func age(of candidate: Candidate) -> Int? {
        guard let entry = chosen[candidate.line], entry.candidate === candidate else { return nil }
        return entry.age
    }

    /// When the last of these was chosen; nil if one is not.
    func age(of candidates: some Sequence<Candidate>) -> Int? {
        var newest = 0
        for candidate in candidates {
            guard let age = age(of: candidate) else { return nil }
            newest = max(newest, age)
        }
        return newest
    }
}

/// A dependency of a chosen candidate, with all that could fulfil it, the best first.
final class OpenDependency: Sendable {
    let dependency: IndexDependency
    let candidates: [Candidate]
    /// Sorted.
    let features: [String]

    init(_ dependency: IndexDependency, _ candidates: [Candidate], features: [String]) {
        self.dependency = dependency
        self.candidates = candidates
        self.features = features
    }
}

/// The dependencies that wait: the one with the fewest candidates of all comes first, as the one that decides most.
struct OpenDependencies: Sendable {
    private struct Frame: Sendable {
        let parent: Candidate
        /// Fewest candidates first.
        let siblings: [OpenDependency]
        let isHopeless: Bool
        var place = 0

        var fewest: Int { siblings[place].candidates.count }
    }

    private var frames: [Frame] = []

    /// - Parameter isHopeless: one of them is known to come to nothing.
    mutating func add(_ siblings: [OpenDependency], of parent: Candidate, isHopeless: Bool = false) {
        guard !siblings.isEmpty else { return }
        frames.append(Frame(parent: parent, siblings: siblings, isHopeless: isHopeless))
    }

    /// With whom they belong to; dependencies of one parent stand together.
    var all: [(parent: Candidate, open: OpenDependency)] {
        frames.flatMap { frame in frame.siblings[frame.place...].map { (frame.parent, $0) } }
    }

    /// Of equals the one that waits longest.
    mutating func next() -> (parent: Candidate, open: OpenDependency, isHopeless: Bool)? {
        guard let first = frames.indices.min(by: { frames[$0].fewest < frames[$1].fewest }) else { return nil }
        let frame = frames[first]
        if frame.place + 1 < frame.siblings.count {
            frames[first].place += 1
        } else {
            frames.remove(at: first)
        }
        return (frame.parent, frame.siblings[frame.place], frame.isHopeless)
    }
}

/// Candidates in the order in which they are tried, without those that something chosen stands in the way of.
///
/// One is looked ahead, at the time of asking, to know whether going back here can help.
struct CandidateQueue: Sendable {
    private let candidates: [Candidate]
    private var place = 0
    private var ahead: Candidate?

    init(_ candidates: [Candidate]) { self.candidates = candidates }

    mutating func next(
        beside activations: Activations, _ obstacles: inout [Candidate]
    ) -> (candidate: Candidate, hasAnother: Bool)? {
        while place < candidates.count {
            let candidate = candidates[place]
            place += 1
            if let obstacle = activations.obstacle(to: candidate) {
                obstacles.append(obstacle)
                continue
            }
            defer { ahead = candidate }
            if let ahead { return (ahead, true) }
        }
        defer { ahead = nil }
        return ahead.map { ($0, false) }
    }
}
