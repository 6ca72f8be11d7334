import Signing

/// When signing keys come and go. Pure; seconds since 1970, by the database's clock, which all replicas share.
///
/// | situation                                                  | step                               |
/// |------------------------------------------------------------|------------------------------------|
/// | no key at all                                              | nothing: the first URL makes one   |
/// | the newest one's time ends within `ahead`                  | make the next, active when it ends |
/// | a key whose successor is active for longer than a URL lives | retire it                         |
///
/// `ahead` is a quarter of the period, a day at most: so long before its first use every edge knows a key.
struct KeyPlan {
    struct Key: Hashable {
        let id: String
        let activeFrom: Int
        let isRetired: Bool
    }

    enum Step: Hashable {
        case make(activeFrom: Int)
        case retire(String)
    }

    /// After this nothing that a key has signed can still be valid.
    static let overlap = URLClaims.lifeMax + 2 * URLClaims.skewMax
    private static let aheadMax = 86_400
    /// A key made by hand signs after this, when connected edges have it.
    static let aheadByHand = 60

    /// How long a key signs.
    let period: Int

    var ahead: Int { min(Self.aheadMax, period / 4) }

    /// - Parameter keys: in the order in which they begin to sign; also within one second that order counts.
    func steps(for keys: [Key], at now: Int) -> [Step] {
        let living = keys.filter { !$0.isRetired }
        guard let newest = living.last else { return [] }
        let outlived = zip(living, living.dropFirst()).filter { $1.activeFrom + Self.overlap <= now }
        var steps = outlived.map { Step.retire($0.0.id) }
        let end = newest.activeFrom + period
        if end - ahead <= now { steps.append(.make(activeFrom: max(now + ahead, end))) }
        return steps
    }

    /// The key that signs: the newest active one.
    static func signing(_ keys: [Key], at now: Int) -> Key? { keys.last { !$0.isRetired && $0.activeFrom <= now } }
}
