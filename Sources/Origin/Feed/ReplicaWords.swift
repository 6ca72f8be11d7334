/// What a replica knows of the edges at the other replicas. Pure.
struct ReplicaWords: Sendable {
    /// The replica that listens; its own words come back to it.
    let own: String
    private var others: [String: ReplicaProgress] = [:]
    private var lastQuestion: UInt64 = 0
    private var lastRead: UInt64 = 0

    init(own: String) { self.own = own }

    var isEmpty: Bool { others.isEmpty }

    /// Takes what came with a notification; words may overtake each other.
    ///
    /// - Returns: false for its own words.
    mutating func heard(_ other: String, _ said: ReplicaProgress) -> Bool {
        guard other != own else { return false }
        if others[other].map({ $0.at < said.at }) ?? true { others[other] = said }
        return true
    }

    /// A number for a look at the table; looks may end in another order than they began.
    mutating func question() -> UInt64 {
        lastQuestion += 1
        return lastQuestion
    }

    /// Takes the rows of all living replicas; whoever is not among them is dead, and nobody waits for its edges.
    mutating func read(_ living: [String: ReplicaProgress], question: UInt64) {
        // An older look would take away a replica that came since.
        guard question > lastRead else { return }
        lastRead = question
        others = living.filter { $0.key != own }.merging(others) { row, heard in heard.at > row.at ? heard : row }
            .filter { living[$0.key] != nil }
    }

    /// The replicas with edges that have not applied `position`, as words for the log.
    func behind(_ position: UInt64) -> [String] {
        others.filter { $0.value.isBehind(position) }.map { "one of \($0.value.edges) at replica \($0.key)" }.sorted()
    }
}
