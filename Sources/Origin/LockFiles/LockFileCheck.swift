import HTTPTypes
import Registry

/// Who asks for lock files, and whose they may touch.
struct LockFileKeeper: Hashable, Sendable {
    let actor: Actor
    /// May read, replace and remove those of others.
    let isAdmin: Bool

    static let commandLine = LockFileKeeper(actor: .commandLine, isAdmin: true)

    var isCommandLine: Bool { actor == .commandLine }
}

/// May this lock file be kept, and what does that change? Decided from facts alone.
///
/// | situation                                               | verdict                       |
/// |---------------------------------------------------------|-------------------------------|
/// | the name is another's, who asks is no administrator     | 409                           |
/// | the same text again                                     | `unchanged`                   |
/// | another text within `secondsMin` of the last, by HTTP   | 429                           |
/// | too many in the repository, or of this login, or in sum | 409                           |
/// | else                                                    | `added` or `replaced`         |
///
/// Administrators are bound by the repository's limits, not by those of a login.
struct LockFileCheck: Sendable {
    /// Of one repository.
    static let filesMax = 1_000
    /// Of these, put first by one login.
    static let filesOfOneMax = 200
    /// All texts of a repository together.
    static let bytesSumMax = 256 << 20
    /// Between two texts of one name: two builds that share a name by mistake don't fill the audit log.
    static let secondsMin = 10

    enum Change: String, Hashable, Sendable, Encodable {
        case added, replaced, unchanged
    }

    /// What the name holds already.
    struct Held: Hashable, Sendable {
        var owner: String
        var sha256: Checksum
        var age: Int
    }

    /// Of the repository, without the lock file at hand.
    struct Others: Hashable, Sendable {
        var files = 0
        var filesOfOwner = 0
        var bytes = 0
    }

    let name: LockFileName
    let held: Held?
    let others: Others

    /// - Throws: 409 or 429 with the next step.
    func verdict(_ file: LockFile, by keeper: LockFileKeeper) throws(Refusal) -> Change {
        if let held {
            guard keeper.isAdmin || held.owner == keeper.actor.name else { throw taken }
            if held.sha256 == file.sha256 { return .unchanged }
            guard keeper.isCommandLine || held.age >= Self.secondsMin else { throw tooSoon(held) }
        }
        try checkRoom(for: file, keeper)
        return held == nil ? .added : .replaced
    }

    private func checkRoom(for file: LockFile, _ keeper: LockFileKeeper) throws(Refusal) {
        let advice =
            "remove some that no build uses any more (`longshore-origin lock-file list` tells when each was last seen)"
        guard held != nil || others.files < Self.filesMax else {
            throw Refusal(.conflict, "the repository has \(Self.filesMax) lock files, and keeps no more: \(advice)")
        }
        guard held != nil || keeper.isAdmin || others.filesOfOwner < Self.filesOfOneMax else {
            throw Refusal(
                .conflict,
                "`\(keeper.actor.name)` has \(Self.filesOfOneMax) lock files in this repository, and no more are kept of one "
                    + "user: put each build's under a name that stays the same, and \(advice)")
        }
        guard others.bytes + file.bytes <= Self.bytesSumMax else {
            throw Refusal(
                .conflict,
                "the repository's lock files have \(Self.bytesSumMax >> 20) MiB, and no more are kept: \(advice)")
        }
    }

    private var taken: Refusal {
        Refusal(
            .conflict,
            "there is a lock file `\(name)` that somebody else put: choose another name, or ask an administrator to remove it"
        )
    }

    private func tooSoon(_ held: Held) -> Refusal {
        let wait = max(1, Self.secondsMin - held.age)
        return Refusal(
            .tooManyRequests,
            "the lock file `\(name)` was replaced \(max(0, held.age)) s ago, by another text: give each build a name of its own, "
                + "or try again in \(wait) s", headers: [.retryAfter: "\(wait)"])
    }
}
