package import Hummingbird
import Registry

/// `GET /{repository}/api/v1/crates?q=…&per_page=…&page=…`.
///
/// | situation                              | answer                                                 | case |
/// |----------------------------------------|--------------------------------------------------------|------|
/// | anything found, or nothing             | 200 `{"crates":[…],"meta":{"total":n}}`                |      |
/// | `per_page` or `page` out of range      | the nearest that is in range; the default for a word   | H10  |
/// | other parameters                       | ignored                                                | H14  |
/// | private, no token                      | 401                                                    |      |
/// | private, token for some crates         | 200 with those only                                    |      |
package struct SearchRoute: Sendable {
    let repositories: RepositoryStore
    let store: SearchStore

    package init(repositories: RepositoryStore, store: SearchStore) {
        self.repositories = repositories
        self.store = store
    }

    package func add(to router: some RouterMethods<OriginContext>) {
        router.get("/:repository/api/v1/crates") { request, context in try await search(request, context) }
    }

    private func search(_ request: Request, _ context: OriginContext) async throws -> Response {
        let repository = try await repositories.named(in: context)
        try context.principal.requireRead(repository, of: nil)
        let parameters = request.uri.queryParameters
        let page = try await store.find(
            SearchQuery(parameters["q"] ?? ""), in: repository,
            within: CrateScope(context.principal, in: repository),
            page: SearchPage(perPage: parameters["per_page"], page: parameters["page"]))
        return .cargo(.search(page.hits, total: page.total))
    }
}

/// Which part of the hits is asked for.
struct SearchPage: Equatable {
    static let perPageMax = 100
    static let perPageDefault = 10
    static let pageMax = 1000

    let perPage: Int
    let offset: Int

    init(perPage: Substring?, page: Substring?) {
        self.perPage = Self.number(perPage, max: Self.perPageMax) ?? Self.perPageDefault
        offset = ((Self.number(page, max: Self.pageMax) ?? 1) - 1) * self.perPage
    }

    /// - Returns: nil for what is no number.
    private static func number(_ text: Substring?, max: Int) -> Int? {
        guard let text, !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return min(Swift.max(Int(text) ?? max, 1), max)
    }
}
