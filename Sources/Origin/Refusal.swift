package import Hummingbird
import Registry

/// An answer that says no: its status, one sentence with the cause and the next step, and headers that go with it.
///
/// Thrown from anywhere below a route; `FailureMiddleware` alone turns it into a response, JSON or text by the address.
package struct Refusal: Error, Equatable, CustomStringConvertible {
    package let status: HTTPResponse.Status
    /// For the person who ran the command; plain text, cut to 500 characters where cargo would cut it.
    package let detail: String
    package let headers: HTTPFields
    /// The version that policy keeps from whoever asks; nil if this is about something else.
    let withheld: Withheld?

    /// A version, and the rule that withholds it.
    struct Withheld: Hashable, Sendable {
        let crate: CrateName
        let version: Version
        let rule: String?
    }

    package init(_ status: HTTPResponse.Status, _ detail: String, headers: HTTPFields = [:]) {
        self.init(status, detail, headers: headers, withheld: nil)
    }

    init(_ status: HTTPResponse.Status, _ detail: String, headers: HTTPFields = [:], withheld: Withheld?) {
        self.withheld = withheld
        self.status = status
        self.detail = detail
        self.headers = headers
    }

    package var description: String { "\(status.code): \(detail)" }
}

extension Refusal {
    /// The text that crates.io gives for an address that means nothing (H11).
    package static let unknownAddress = Refusal(.notFound, "Not Found")

    /// The statuses that many slices need; `detail` is what the user reads.
    package static func badRequest(_ detail: String) -> Refusal { Refusal(.badRequest, detail) }
    package static func forbidden(_ detail: String) -> Refusal { Refusal(.forbidden, detail) }
    package static func notFound(_ detail: String) -> Refusal { Refusal(.notFound, detail) }
    package static func tooLarge(_ detail: String) -> Refusal { Refusal(.contentTooLarge, detail) }

    /// - Parameter retryAfter: seconds until asking again makes sense; at most 10, so that cargo waits for it.
    package static func unavailable(_ detail: String, retryAfter: Int = 2) -> Refusal {
        Refusal(.serviceUnavailable, detail, headers: [.retryAfter: "\(retryAfter)"])
    }
}
