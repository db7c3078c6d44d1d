// The articles of the documentation, whose code is that of tests here, word for word, so that it compiles and works.

import Foundation
import Testing

/// Expects that every block of code in an article stands in a file of tests.
/// - Parameters:
///   - name: The article's file, without `.md`.
///   - count: How many blocks it has.
///   - file: The file of tests that calls.
func expectArticle(_ name: String, hasCodeOf file: String = #filePath, blocks count: Int) throws {
    let root = URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("../..")
    let path = "Sources/ModelGateway/Documentation.docc/\(name).md"
    let article = try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    let code = try String(contentsOf: URL(fileURLWithPath: file), encoding: .utf8)
    let blocks = article.components(separatedBy: "```swift\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
    #expect(blocks.count == count)
    for block in blocks { #expect(code.contains(block), "\(block)") }
}
