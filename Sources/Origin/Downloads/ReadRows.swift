import Hosting
import Registry

/// A batch of an edge as rows that can be counted; pure.
///
/// What names nothing that can exist is left out and counted as refused, so that one bad row can't keep a spool from
/// ever being emptied. Whether such a crate exists today is not asked: a deleted one was read all the same.
///
/// A time that lies more than a day ahead or 400 days behind is a wrong clock's, and is taken as now: the read was, only
/// its time is unknown. So an edge whose clock is wrong still gets its batch counted once, and whatever an edge says, the
/// trail ends with `pull-days` and the counts of a crate have some 400 days a year at most (I9).
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
        /// Of the client, in its one spelling; nil if nobody told.
        var address: String?
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

    private static let aheadMax = 86_400
    private static let behindMax = 400 * 86_400
    /// Of one thing on one day: 50,000 a second around the clock. A batch of such rows is far from the end of 64 bits.
    static let countMax = 1 << 32

    /// Seconds since 1970, by the origin's clock.
    private let now: Int
    private(set) var pulls: [Pull] = []
    private(set) var refused = 0
    private var sums: [Key: Int] = [:]

    /// Rows of the origin's own reads: their times are by its own clock.
    init() { now = 0 }

    /// - Parameter now: seconds since 1970, by the origin's clock.
    init(_ batch: AccessBatch, now: Int) {
        self.now = now
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
            let version = try? Version(pull.version), pull.bytes >= 0,
            ["HIT", "MISS", "STALE"].contains(pull.cache)
        else { return false }
        var token: Int64?
        if let subject = pull.subject {
            guard let id = Int64(subject), id > 0 else { return false }
            token = id
        }
        add(
            Pull(
                at: times.contains(pull.at) ? pull.at : now, repository: repository.description, crate: crate.identity,
                version: version.description,
                token: token, bytes: pull.bytes, cache: pull.cache,
                // One that makes no sense is left out alone: the download was all the same.
                address: pull.address.flatMap(ClientAddress.normal)))
        return true
    }

    private mutating func add(_ reads: AccessBatch.Reads) -> Bool {
        guard let repository = try? RepositoryName(reads.repository), let crate = try? CrateName(reads.crate),
            (1...Self.countMax).contains(reads.count)
        else { return false }
        var version = ""
        if let said = reads.version {
            guard let parsed = try? Version(said) else { return false }
            version = parsed.description
        }
        count(
            reads.count,
            Key(repository: repository.description, crate: crate.identity, version: version, day: day(reads.day)))
        return true
    }

    private var times: ClosedRange<Int> { Self.times(at: now) }

    /// What is believed of an edge's clock.
    static func times(at now: Int) -> ClosedRange<Int> { now - behindMax...now + aheadMax }

    private func day(_ said: String) -> String {
        // Days of four-digit years sort as their text does.
        let days = CalendarDay.text(ofUnix: times.lowerBound)...CalendarDay.text(ofUnix: times.upperBound)
        return CalendarDay.isDay(said) && days.contains(said) ? said : CalendarDay.text(ofUnix: now)
    }

    private mutating func count(_ number: Int, _ key: Key) { sums[key, default: 0] += number }
}
