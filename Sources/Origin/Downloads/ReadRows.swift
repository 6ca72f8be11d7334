import Registry

/// A batch of an edge as rows that can be counted; pure.
///
/// What names nothing that can exist is left out and counted as refused, so that one bad row can't keep a spool from
/// ever being emptied. Whether such a crate exists today is not asked: a deleted one was read all the same.
struct ReadRows: Sendable {
    /// A row of `pulls`. `token` is nil for an anonymous reader.
    struct Pull: Encodable, Hashable, Sendable {
        var at: Int
        var repository: String
        var crate: String
        var version: String
        var token: Int64?
        var bytes: Int
        var cache: String
    }

    /// The key of `read_counts` without the edge; `version` is empty for the index file.
    struct Key: Hashable, Comparable, Sendable {
        var repository: String
        var crate: String
        var version: String
        var day: String

        static func < (left: Key, right: Key) -> Bool {
            (left.repository, left.crate, left.version, left.day)
                < (right.repository, right.crate, right.version, right.day)
        }
    }

    struct Count: Encodable, Hashable, Sendable {
        let repository: String
        let crate: String
        let version: String
        let day: String
        let count: Int
    }

    /// The year 2200: later seconds are a broken clock's.
    private static let unixMax = 7_258_118_400
    private static let countMax = 1 << 40

    private(set) var pulls: [Pull] = []
    private(set) var refused = 0
    private var sums: [Key: Int] = [:]

    init() {}

    init(_ batch: AccessBatch) {
        for pull in batch.pulls where !add(pull) { refused += 1 }
        for reads in batch.reads where !add(reads) { refused += 1 }
    }

    /// Always in the same order, so that transactions which add to the same rows can't lock each other out.
    var counts: [Count] {
        sums.sorted { $0.key < $1.key }.map { key, count in
            Count(repository: key.repository, crate: key.crate, version: key.version, day: key.day, count: count)
        }
    }

    mutating func add(_ pull: Pull) {
        pulls.append(pull)
        let day = CalendarDay.text(ofUnix: pull.at)
        count(1, Key(repository: pull.repository, crate: pull.crate, version: pull.version, day: day))
    }

    mutating func addIndexRead(of crate: CrateName, in repository: RepositoryName, at unix: Int) {
        let day = CalendarDay.text(ofUnix: unix)
        count(1, Key(repository: repository.description, crate: crate.identity, version: "", day: day))
    }

    private mutating func add(_ pull: AccessBatch.Pull) -> Bool {
        guard let repository = try? RepositoryName(pull.repository), let crate = try? CrateName(pull.crate),
            let version = try? Version(pull.version), (0...Self.unixMax).contains(pull.at), pull.bytes >= 0,
            ["HIT", "MISS", "STALE"].contains(pull.cache)
        else { return false }
        var token: Int64?
        if let subject = pull.subject {
            guard let id = Int64(subject), id > 0 else { return false }
            token = id
        }
        add(
            Pull(
                at: pull.at, repository: repository.description, crate: crate.identity, version: version.description,
                token: token, bytes: pull.bytes, cache: pull.cache))
        return true
    }

    private mutating func add(_ reads: AccessBatch.Reads) -> Bool {
        guard let repository = try? RepositoryName(reads.repository), let crate = try? CrateName(reads.crate),
            CalendarDay.isDay(reads.day), (1...Self.countMax).contains(reads.count)
        else { return false }
        var version = ""
        if let said = reads.version {
            guard let parsed = try? Version(said) else { return false }
            version = parsed.description
        }
        count(
            reads.count,
            Key(repository: repository.description, crate: crate.identity, version: version, day: reads.day))
        return true
    }

    private mutating func count(_ number: Int, _ key: Key) { sums[key, default: 0] += number }
}
