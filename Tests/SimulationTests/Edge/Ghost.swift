/// What an edge must know, kept beside it by the rules' own words: the checks compare the edge with this.
struct Ghost {
    /// The last position that was applied, or taken by a reset.
    var applied: UInt64
    /// By subject: the last position that was applied and changed it. A reset applies nothing.
    var floors: [UInt64]
    /// The newest position that was heard of.
    var head: UInt64
    /// When the last lease was heard.
    var heardAt: Int?
    /// When the origin read what the last lease vouches for.
    var vouchedAt = 0

    init(applied: UInt64, floors: [UInt64]) {
        self.applied = applied
        self.floors = floors
        head = applied
    }

    func isFresh(at now: Int, leaseTime: Int) -> Bool {
        guard let heardAt else { return false }
        return applied >= head && now < heardAt + leaseTime
    }
}
