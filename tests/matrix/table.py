# SPDX-License-Identifier: Apache-2.0
"""The matrix as a page of documentation."""
