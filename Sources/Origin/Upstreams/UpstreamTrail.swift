/// The way to one file of an upstream: where its `dl` leads, and where from there. Pure.
///
/// | the next address                                    | followed | sees the credential                         |
/// |-----------------------------------------------------|----------|---------------------------------------------|
/// | where `dl` leads, at the index's scheme, host, port | yes      | yes                                         |
/// | where `dl` leads, another host                      | yes      | if the operator named the host and the upstream says `auth-required` |
/// | a redirect to the index's scheme, host, port        | yes      | yes                                         |
/// | a redirect to the index's or `dl`'s host, or to one that the operator named | yes | no                       |
/// | a redirect elsewhere                                | no: a fault that names host and option | |
/// | a redirect from `https` to `http`                   | no       |                                             |
/// | a fourth redirect                                   | no       |                                             |
///
/// cargo sends its token to wherever `dl` leads once `auth-required` is said. We ask the operator too: an upstream whose
/// `config.json` was changed by somebody could otherwise have the credential sent anywhere.
struct UpstreamTrail: Sendable {
    static let redirectsMax = 3

    private let upstream: Upstream
    private let start: UpstreamAddress
    private let isAuthRequired: Bool
    private(set) var address: UpstreamAddress
    private var redirects = 0

    /// - Throws: a fault for what is no address.
    init(
        _ upstream: Upstream, start url: String, isAuthRequired: Bool
    ) throws(UpstreamFault) {
        guard let start = UpstreamAddress(url) else { throw UpstreamFault("its `dl` is no http address") }
        self.upstream = upstream
        self.start = start
        self.isAuthRequired = isAuthRequired
        address = start
    }

    var showsCredential: Bool {
        if address.isSameOrigin(as: upstream.index.address) { return true }
        return redirects == 0 && isAuthRequired && upstream.alsoHosts.contains(address.host)
    }

    /// - Throws: why it is not followed.
    mutating func follow(_ location: String?) throws(UpstreamFault) {
        guard let target = location.flatMap({ address.target($0) }) else {
            throw UpstreamFault("\(address) redirects to what is no http address")
        }
        guard redirects < Self.redirectsMax else {
            throw UpstreamFault("\(start) redirects more than \(Self.redirectsMax) times")
        }
        guard target.isEncrypted || !address.isEncrypted else {
            throw UpstreamFault("\(address) redirects to http, away from https")
        }
        guard ([upstream.index.address.host, start.host] + upstream.alsoHosts).contains(target.host) else {
            throw UpstreamFault(
                "\(address) redirects to the host `\(target.host)`; if that is meant, name it with "
                    + "--also-host \(target.host)")
        }
        redirects += 1
        address = target
    }
}
