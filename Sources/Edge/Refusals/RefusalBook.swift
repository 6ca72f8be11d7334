import EdgeHTTP
import EdgeLedger
import Registry

/// Refusals that are not saved yet, summed up so that a flood of them fills neither memory nor disk nor the audit log; pure.
///
/// What is the same within one page is one line with a count. A page has at most `linesPerPeerMax` lines for one address and
/// `linesMax` in all, as the origin's own `AccessBook`; what goes beyond is counted in one line more, without names. A page
/// is taken out again and again while it is written, and knows its lines until it is turned.
struct RefusalBook: Sendable {
    static let linesMax = 32
    static let linesPerPeerMax = 8
    static let reasonCharactersMax = 300

    /// What makes two refusals the same.
    struct Key: Hashable, Sendable {
        var rule: String
        var reader: RefusedAccess.Reader
        var repository: RepositoryName?
        var file: CratePath?
        var peer: EdgePeer

        init(_ refused: RefusedAccess, from peer: EdgePeer) {
            rule = refused.rule
            reader = refused.reader
            repository = refused.repository
            file = refused.file
            self.peer = peer
        }

        fileprivate init() {
            rule = AccessRefusal.Rule.overTheLimit
            reader = .nobody
            peer = .unknown
        }
    }

    /// The first of its kind, for whoever reads the log.
    struct Example: Hashable, Sendable {
        var request: String
        var path: String
        var reason: String
    }

    /// A line's news: what came to it since they were last taken.
    struct Line: Hashable, Sendable {
        let key: Key
        /// The same for the same line of a page.
        let place: Int
        fileprivate(set) var refusal: AccessRefusal

        fileprivate mutating func add(_ count: Int, first: Int, last: Int) {
            refusal.first = refusal.count == 0 ? first : min(refusal.first, first)
            refusal.last = refusal.count == 0 ? last : max(refusal.last, last)
            refusal.count += count
        }
    }

    /// Pages are numbered from 0.
    private(set) var page = 0
    private var lines: [Key: Line] = [:]
    private var linesOfPeer: [EdgePeer: Int] = [:]

    /// - Parameter example: asked for a line that is new.
    mutating func note(_ key: Key, at now: Int, example: () -> Example) {
        let key = room(for: key)
        let place = lines.count
        lines[key, default: Self.line(key, place, key.rule == AccessRefusal.Rule.overTheLimit ? nil : example())]
            .add(1, first: now, last: now)
    }

    /// What is new since the last time, in the order of the lines.
    ///
    /// - Parameter turns: true begins a new page, on which everything is new.
    mutating func take(turns: Bool) -> [Line] {
        let news = lines.values.filter { $0.refusal.count > 0 }.sorted { $0.place < $1.place }
        if turns {
            page += 1
            (lines, linesOfPeer) = ([:], [:])
        } else {
            for line in news { lines[line.key]?.refusal.count = 0 }
        }
        return news
    }

    /// Notes again what could not be saved; the page's limits hold for all of it together.
    mutating func putBack(_ taken: [Line]) {
        for old in taken {
            let key = room(for: old.key)
            let place = lines.count
            var empty = Self.line(key, place, nil)
            if key == old.key { empty.refusal = old.refusal }
            empty.refusal.count = 0
            lines[key, default: empty].add(old.refusal.count, first: old.refusal.first, last: old.refusal.last)
        }
    }

    /// The key itself, or that of the rest if there is no room for another.
    private mutating func room(for key: Key) -> Key {
        let rest = Key()
        if key == rest || lines[key] != nil { return key }
        let named = lines.count - (lines[rest] == nil ? 0 : 1)
        guard named < Self.linesMax, linesOfPeer[key.peer, default: 0] < Self.linesPerPeerMax else { return rest }
        linesOfPeer[key.peer, default: 0] += 1
        return key
    }

    private static func line(_ key: Key, _ place: Int, _ example: Example?) -> Line {
        var refusal = AccessRefusal(first: 0, last: 0, count: 0, rule: key.rule)
        refusal.repository = key.repository?.description
        refusal.crate = key.file?.name.spelling
        refusal.version = key.file?.version.description
        refusal.address = key.peer.text
        switch key.reader {
        case .nobody: break
        case .subject(let id): refusal.subject = id
        case .secret(let hash): refusal.sha256 = hash.description
        }
        refusal.request = example?.request
        refusal.path = example?.path
        refusal.reason = example.map { String($0.reason.prefix(reasonCharactersMax)) }
        return Line(key: key, place: place, refusal: refusal)
    }
}
