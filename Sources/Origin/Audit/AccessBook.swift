import Registry

/// Refusals and logins that are not recorded yet, summed up so that a flood of them fills no disk; pure.
///
/// What has the same key within one window is one line with a count. Of refusals there are at most `keysPerAddressMax`
/// lines a window for one address and `keysMax` in all; of logins, which take a good token, `loginsMax`. They have room of
/// their own, so that nobody hides a login behind refusals. What goes beyond is counted in one line more, without names.
struct AccessBook: Sendable {
    static let keysMax = 32
    static let keysPerAddressMax = 8
    static let loginsMax = 256

    /// What makes two events the same.
    struct Key: Hashable, Sendable {
        /// `login` or `access.refused`.
        var action: String
        var actor: String
        var token: Int64?
        var rule: String?
        var address: String?
        /// As the path spells it, if it can be a name at all.
        var repository: String?
        /// What policy withholds; nil for everything else.
        var crate: CrateName?
        var version: String?
        /// Through which edge the origin heard of it.
        var edge: String?

        fileprivate var isLogin: Bool { action == "login" }
    }

    /// What happened, how often, and the first of it as an example.
    struct Sum: Hashable, Sendable {
        var count = 0
        /// Seconds since 1970.
        var first: Int
        var last: Int
        var request: String?
        var path: String?
        var reason: String?
    }

    /// One event.
    struct Event: Hashable, Sendable {
        var key: Key
        var at: Int
        var request: String?
        var path: String?
        var reason: String?
    }

    private var sums: [Key: Sum] = [:]
    private var refusalsOfAddress: [String?: Int] = [:]
    private var refusalKeys = 0
    private var loginKeys = 0

    var isEmpty: Bool { sums.isEmpty }

    mutating func note(_ event: Event) {
        let key = room(for: event.key)
        var sum = sums[key] ?? Sum(first: event.at, last: event.at)
        if sum.count == 0, key == event.key {
            (sum.request, sum.path, sum.reason) = (event.request, event.path, event.reason)
        }
        sum.count += 1
        sum.last = max(sum.last, event.at)
        sums[key] = sum
    }

    /// What was summed up, in the order of its beginning; the book is empty after it.
    mutating func take() -> [(key: Key, sum: Sum)] {
        defer { self = AccessBook() }
        return sums.sorted {
            ($0.value.first, $0.key.action, $0.key.actor) < ($1.value.first, $1.key.action, $1.key.actor)
        }
        .map { (key: $0.key, sum: $0.value) }
    }

    /// Notes again what could not be recorded; the limits hold for all of it together.
    mutating func putBack(_ taken: [(key: Key, sum: Sum)]) {
        for (key, old) in taken {
            let key = room(for: key)
            guard var sum = sums[key] else {
                sums[key] = old
                continue
            }
            sum.count += old.count
            sum.first = min(sum.first, old.first)
            sum.last = max(sum.last, old.last)
            sums[key] = sum
        }
    }

    /// The key itself, or that of the rest if there is no room for another.
    private mutating func room(for key: Key) -> Key {
        if sums[key] != nil { return key }
        guard hasRoom(for: key) else {
            return Key(action: key.action, actor: "many others", rule: AccessRefusal.Rule.overTheLimit)
        }
        if key.isLogin {
            loginKeys += 1
        } else {
            refusalKeys += 1
            refusalsOfAddress[key.address, default: 0] += 1
        }
        return key
    }

    private func hasRoom(for key: Key) -> Bool {
        if key.isLogin { return loginKeys < Self.loginsMax }
        return refusalKeys < Self.keysMax && refusalsOfAddress[key.address, default: 0] < Self.keysPerAddressMax
    }
}

extension AccessBook.Key {
    /// How a refusal's cause is called in `rule`.
    init(refused principal: Principal, address: String?, repository: String?) {
        self.init(action: "access.refused", actor: "no token", address: address, repository: repository)
        switch principal {
        case .anonymous: rule = AccessRefusal.Rule.noToken
        case .rejected(let why):
            // A space, which no login has.
            actor = "bad token"
            rule = why.rule
        case .token(let holder):
            (actor, token) = (holder.login, holder.tokenID)
            rule = AccessRefusal.Rule.notAllowed
        case .edge(let holder):
            actor = "edge \(holder.name)"
            rule = "edge-credential"
        }
    }
}

extension Principal.Rejection {
    /// As the audit log names it.
    var rule: String {
        switch self {
        case .malformed: AccessRefusal.Rule.tokenMalformed
        case .unknownScheme: "scheme-unknown"
        case .unknown: AccessRefusal.Rule.tokenUnknown
        case .expired: AccessRefusal.Rule.tokenExpired
        case .revoked: AccessRefusal.Rule.tokenRevoked
        }
    }
}
