"""Models of buying in closed form: parameters and arrays in, likelihoods and expectations out; no random numbers.

>>> from cxsim.clv.models.bgnbd import BetaGeometricParams
>>> from cxsim.clv.models.purchases import expected_purchases
>>> shop = BetaGeometricParams(r=0.24, alpha=4.41, a=0.79, b=2.43)
>>> float(expected_purchases(shop, frequency=2, last_order=30.43, age=38.86, time=39).round(3))
1.227
"""
